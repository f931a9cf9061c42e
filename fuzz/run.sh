#!/bin/sh
# Builds the fuzz targets and runs each, or the named ones, for the given seconds: sh fuzz/run.sh 60 dns regex.
# The corpus of a target is in target/fuzz/corpus/NAME, failing inputs are in target/fuzz/NAME.*-*.
set -e
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- $(ls fuzz/targets | sed 's/\.rs$//')
# LLVM's coverage pass without a sanitizer: it is in every toolchain, and safe code needs no more.
RUSTFLAGS='--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module'
for word in level=4 inline-8bit-counters pc-table trace-compares; do
    RUSTFLAGS="$RUSTFLAGS -Cllvm-args=-sanitizer-coverage-$word"
done
export RUSTFLAGS CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/fuzz"
cargo build --release --locked --manifest-path fuzz/Cargo.toml --target x86_64-unknown-linux-gnu
status=0
for name; do
    program=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release/$name
    seeds=fuzz/seeds/$name
    [ -d "$seeds" ] || seeds=
    mkdir -p "$CARGO_TARGET_DIR/corpus/$name"
    # The parsers print far more on standard error than libFuzzer, so both are closed to them.
    if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -close_fd_mask=3 \
        -print_final_stats=1 -artifact_prefix="$CARGO_TARGET_DIR/$name." "$CARGO_TARGET_DIR/corpus/$name" $seeds \
        >"$CARGO_TARGET_DIR/$name.log" 2>&1; then
        sed -n "s/^stat::number_of_executed_units: */$name: runs: /p" "$CARGO_TARGET_DIR/$name.log"
        continue
    fi
    status=1
    echo "$name: FAILED, see $CARGO_TARGET_DIR/$name.log"
    for input in "$CARGO_TARGET_DIR/$name".*-*; do
        [ ! -e "$input" ] || "$program" "$input" 2>&1 | grep -a -A1 'panicked at\|ERROR' || :
    done
done
exit $status
