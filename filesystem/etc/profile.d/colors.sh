# Colours, where the terminal has them.
case $TERM in
linux | *color* | xterm* | screen* | tmux* | rxvt*)
	alias ls='ls --color=auto'
	alias grep='grep --color=auto'
	;;
esac
