//! The applets of POSIX's shell and utilities volume that work on files and text, and their relatives in GNU coreutils.
#![forbid(unsafe_code)]

rbox_core::applets! {
    arch: "/bin/arch";
    base64: "/bin/base64" "/bin/base32";
    basename: "/usr/bin/basename";
    cat: "/bin/cat";
    chmod: "/bin/chmod";
    chown: "/bin/chown" "/bin/chgrp";
    cksum: "/usr/bin/cksum" "/usr/bin/crc32";
    cp: "/bin/cp";
    cut: "/usr/bin/cut";
    date: "/bin/date";
    df: "/bin/df";
    dirname: "/usr/bin/dirname";
    du: "/usr/bin/du";
    echo: "/bin/echo";
    env: "/usr/bin/env";
    r#false: "/bin/false";
    head: "/usr/bin/head";
    id: "/usr/bin/id";
    ln: "/bin/ln";
    ls: "/bin/ls";
    md5sum: "/usr/bin/md5sum" "/usr/bin/sha1sum" "/usr/bin/sha256sum" "/usr/bin/sha512sum" "/usr/bin/sha3sum";
    mkdir: "/bin/mkdir";
    mkfifo: "/usr/bin/mkfifo";
    mknod: "/bin/mknod";
    mktemp: "/bin/mktemp";
    mv: "/bin/mv";
    printenv: "/bin/printenv";
    printf: "/usr/bin/printf";
    pwd: "/bin/pwd";
    readlink: "/usr/bin/readlink";
    realpath: "/usr/bin/realpath";
    rm: "/bin/rm";
    rmdir: "/bin/rmdir";
    seq: "/usr/bin/seq";
    sleep: "/bin/sleep";
    stat: "/bin/stat";
    sort: "/usr/bin/sort";
    sum: "/usr/bin/sum";
    sync: "/bin/sync";
    tail: "/usr/bin/tail";
    tee: "/usr/bin/tee";
    test: "/usr/bin/test" "/usr/bin/[" "/usr/bin/[[";
    touch: "/bin/touch";
    tr: "/usr/bin/tr";
    r#true: "/bin/true";
    tty: "/usr/bin/tty";
    uname: "/bin/uname";
    uniq: "/usr/bin/uniq";
    usleep: "/bin/usleep";
    wc: "/usr/bin/wc";
    which: "/usr/bin/which";
    whoami: "/usr/bin/whoami";
    yes: "/usr/bin/yes";
}
