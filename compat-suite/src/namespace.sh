# A small system in namespaces of its own: /dev, /etc, /run, /var/log, /mnt and the host's name are fresh. Nothing that
# a case does there is seen outside. Its words are those of /bin/sh.
set -e
export PATH="$PATH:/usr/sbin:/sbin"
mount --make-rprivate /
stage=$(mktemp -d)
mount -t tmpfs -o mode=755 dev "$stage"
node() { mknod -m "$2" "$stage/$1" "$3" "$4" "$5"; }
node null 666 c 1 3
node zero 666 c 1 5
node full 666 c 1 7
node random 666 c 1 8
node urandom 666 c 1 9
node tty 666 c 5 0
node loop-control 600 c 10 237
for n in 0 1 2 3 4 5 6 7; do node loop$n 660 b 7 $n; done
mkdir "$stage/pts" "$stage/shm"
# A terminal that the script is on is a file of the old /dev/pts.
mount --bind /dev/pts "$stage/pts"
ln -s pts/ptmx "$stage/ptmx"
ln -s /proc/self/fd "$stage/fd"
mount --move "$stage" /dev
rmdir "$stage" 2>/dev/null || :
for directory in /run /var/log /mnt /etc; do mount -t tmpfs -o mode=755 t $directory; done
cat >/etc/passwd <<'-'
root:x:0:0:root:/:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
user:x:1000:1000:A user:/tmp:/bin/sh
-
cat >/etc/group <<'-'
root:x:0:
tty:x:5:
disk:x:6:root,user
user:x:1000:
-
# The user's word is `secret`.
cat >/etc/shadow <<'-'
root::19000:0:99999:7:::
daemon:*:19000:0:99999:7:::
user:$1$salt$ez2vlPGdaLYkJam5pWs/Y1:19000:0:99999:7:::
-
chmod 600 /etc/shadow
echo 127.0.0.1 localhost >/etc/hosts
echo ttyS0 >/etc/securetty
hostname box 2>/dev/null || echo box >/proc/sys/kernel/hostname
exec /bin/sh "$@"
