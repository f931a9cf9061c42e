# The language of messages and the encoding of text.
export LANG=C.UTF-8
