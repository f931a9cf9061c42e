#!/bin/sh
# Builds, checks and installs GNU hello and zlib, from Debian's source packages, twice: with rbox, gcc, binutils and make
# alone on PATH, and with GNU's tools and dash. Both must install the same files. Prints the time of both, and which
# applets of BusyBox's list rbox lacks and the build used from the host. Usage: build.sh RBOX
set -eu
cd "$(dirname "$0")/.."
rbox=$(realpath "$1")
sh build-image/packages.sh busybox-static bzip2 dash dpkg-dev gpgv time xz-utils
base=$PWD/target/compat-build
sources=$base/sources
mkdir -p "$sources"

# The source packages, by a configuration of apt's own: the machine's may not have their lists.
fetch() (
    cd "$sources"
    mkdir -p parts lists/partial
    cp /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list parts/ 2>/dev/null || :
    [ ! -s /etc/apt/sources.list ] || cp /etc/apt/sources.list parts/main.list
    sed -i 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' parts/*
    set -- -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$sources/parts" \
        -o "Dir::State::Lists=$sources/lists" -o APT::Sandbox::User="$(id -un)"
    apt-get "$@" update
    apt-get "$@" source --download-only hello zlib
)
ls "$sources"/hello_*.orig.tar.gz "$sources"/zlib_*.orig.tar.* >/dev/null 2>&1 || fetch

# What both builds have besides their userland.
compilers='ar as cc c++ cpp g++ gcc ld make nm objdump ranlib readelf strip'
link_compilers() {
    for name in $compilers; do
        ln -s "$(realpath "$(command -v "$name")")" "$1/$name"
    done
}

rm -rf "$base/rbox" "$base/gnu" "$base/lacking"
mkdir "$base/rbox" "$base/gnu" "$base/lacking"
for name in $("$rbox" --list); do
    ln -s "$rbox" "$base/rbox/$name"
done
rm -f "$base/rbox/ar" "$base/rbox/make"
link_compilers "$base/rbox"
# Names of BusyBox's that rbox has not: the host's, and a line in a list for each use.
: >"$base/lacking.list"
for name in $(busybox --list); do
    host=$(command -v "$name") || continue
    case $host in /*) ;; *) continue ;; esac
    [ ! -e "$base/rbox/$name" ] || continue
    printf '#!/bin/dash\necho %s >>%s\nexec %s "$@"\n' "$name" "$base/lacking.list" "$host" >"$base/lacking/$name"
    chmod 755 "$base/lacking/$name"
done
link_compilers "$base/gnu"
for directory in /usr/bin /bin; do
    for path in "$directory"/*; do
        name=${path##*/}
        # As few tools as rbox has: what configure finds must not decide.
        case " $("$rbox" --list | tr '\n' ' ') $(ls "$base/lacking" | tr '\n' ' ')" in
        *" $name "*) [ -e "$base/gnu/$name" ] || ln -s "$path" "$base/gnu/$name" ;;
        esac
    done
done
ln -sf /bin/dash "$base/gnu/sh"

# build NAME USERLAND PATH: builds below one directory, whose name ends up in what is installed.
build() {
    name=$1 userland=$2 path=$3
    rm -rf "$base/work" "$base/installed-$userland-$name"
    mkdir "$base/work"
    tar -xf "$(ls "$sources/$name"_*.orig.tar.* | grep -v '\.asc$')" -C "$base/work" --strip-components=1
    printf '%s\n' 'set -e' 'cd "$1"' \
        'CONFIG_SHELL=$2 "$2" ./configure --prefix=/usr' \
        'make SHELL="$2"' 'make SHELL="$2" check' 'make SHELL="$2" install DESTDIR="$3"' >"$base/steps"
    /usr/bin/time -f '%e %U %S' -o "$base/time-$userland-$name" env -i PATH="$path" HOME="$base" LC_ALL=C \
        "$base/$userland/sh" "$base/steps" "$base/work" "$base/$userland/sh" "$base/installed-$userland-$name" \
        >"$base/log-$userland-$name" 2>&1 || {
        echo "$name with $userland failed; the end of $base/log-$userland-$name:"
        tail -n 20 "$base/log-$userland-$name"
        return 1
    }
}

status=0
for name in hello zlib; do
    build "$name" gnu "$base/gnu" || status=1
    build "$name" rbox "$base/rbox:$base/lacking" || { status=1; continue; }
    if diff -r "$base/installed-gnu-$name" "$base/installed-rbox-$name"; then
        echo "$name: the same files are installed"
    else
        status=1
    fi
    for userland in gnu rbox; do
        read -r elapsed user system <"$base/time-$userland-$name"
        echo "$name with $userland: $elapsed s, $user s user, $system s system"
    done
done
lacking=$(sort "$base/lacking.list" | uniq -c | sort -rn | sed 's/^ *\([0-9]*\) \(.*\)/\2 (\1 times)/')
echo "Used from the host, since rbox lacks them:" ${lacking:-nothing}
exit $status
