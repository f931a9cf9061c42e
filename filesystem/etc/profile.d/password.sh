# Reminds root of the password that is missing, until there is one.
if [ -r /etc/shadow ] && grep -q '^root::' /etc/shadow; then
	echo 'root has no password. Set one before you give this system to a network: passwd'
	echo
fi
