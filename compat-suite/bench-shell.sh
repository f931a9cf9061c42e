#!/bin/bash
# The speed of rbox's shell beside BusyBox ash, dash and bash, all on this machine in one run. It prints the second part of
# docs/speed.md.
set -eu
directory=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=compat-suite/measure.sh
. "$directory/measure.sh"
rbox=$PWD/target/rbox
busybox=$(command -v busybox)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Each shell finds its own programs first: the two that are many programs in one find themselves.
mkdir rbox busybox plain
for name in sh true basename dirname cat; do
    ln -s "$rbox" "rbox/$name"
    ln -s "$busybox" "busybox/$name"
    ln -s "$(type -P $name)" "plain/$name"
done
seq -f 'line %g of some text' 200000 >lines
for i in $(seq 20000); do
    echo "v$i=$i; f$((i % 100)) () { echo \"\$1 $i\"; }"
done >library

# The loops count by a builtin that each shell has, and their body is what the row is about.
cat >increments <<'END'
i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done
END
cat >case <<'END'
i=0; while [ $i -lt 500000 ]; do case $i in a*) ;; *x) ;; 7?x) ;; *) i=$((i+1)) ;; esac; done
END
cat >trim <<'END'
i=0; x=/usr/local/lib/file; while [ $i -lt 300000 ]; do i=$((i+1)); y=${x##*/}; done
END
cat >calls <<'END'
f() { i=$((i+1)); }; i=0; while [ $i -lt 300000 ]; do f $i; done
END
cat >read <<'END'
while read -r a b; do :; done <lines
END
cat >echo <<'END'
i=0; while [ $i -lt 5000 ]; do i=$((i+1)); x=$(echo $i); done
END
cat >basename <<'END'
i=0; while [ $i -lt 5000 ]; do i=$((i+1)); x=$(basename /usr/lib/$i); done
END
cat >own <<'END'
i=0; while [ $i -lt 2000 ]; do i=$((i+1)); "$bin/true"; done
END
cat >foreign <<'END'
i=0; while [ $i -lt 2000 ]; do i=$((i+1)); /bin/true; done
END
cat >pipe <<'END'
i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i | cat >/dev/null; done
END
cat >subshell <<'END'
i=0; while [ $i -lt 2000 ]; do i=$((i+1)); (:); done
END
echo '. ./library' >source
cat >start <<'END'
i=0; while [ $i -lt 1000 ]; do i=$((i+1)); "$bin/sh" -c :; done
END

cat <<TEXT

## The shell

CPU seconds of rbox, the least of ${ROUNDS:-3} runs, with all child processes, then the CPU time of the others divided by it.

| | rbox, s | BusyBox | dash | bash |
|---|---:|---:|---:|---:|
TEXT

# run SYSTEM: CPU seconds of ./$script in that shell, which finds its own programs first.
run() {
    local links=plain words
    case $1 in
    rbox) words="$rbox sh" links=rbox ;;
    busybox) words="$busybox sh" links=busybox ;;
    *) words=$(type -P "$1") ;;
    esac
    ln -sf "$(type -P "$1" || type -P dash)" plain/sh
    # shellcheck disable=SC2086 # the applet's name is a word of its own
    bin=$work/$links PATH=$work/$links:$PATH spent timeout 120 $words "./$script"
}

while IFS='|' read -r script label; do
    compare "$label" run rbox busybox dash bash
done <<'END'
increments|300,000 increments
case|500,000 `case`
trim|300,000 `${x##*/}`
calls|300,000 function calls
read|`read` over 200,000 lines
echo|5,000 `$(echo $i)`
basename|5,000 `$(basename PATH)`
own|2,000 `true` of its own directory
foreign|2,000 external `/bin/true`
pipe|1,000 `echo \| cat`
subshell|2,000 `(:)`
source|sourcing 20,000 lines
start|1,000 `sh -c :`
END
means busybox dash bash
echo
echo "The load was $(cut -d ' ' -f 1 /proc/loadavg) at the end."
