# The language of messages and the character encoding.
export LANG=C.UTF-8
