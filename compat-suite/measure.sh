# Functions of bench.sh and bench-shell.sh: CPU seconds of rbox and of others, taken in turn, and a row of a table in Markdown.
# shellcheck shell=bash

# spent COMMAND...: CPU seconds (user and system, with children) of one run. Fails if the status is more than 1, which some
# commands return for "nothing found".
spent() {
    local TIMEFORMAT='%U %S' status=0
    { time "$@" >out 2>messages; } 2>times || status=$?
    [ "$status" -le 1 ] || return 1
    awk '{ print $1 + $2 }' times
}

# compare LABEL RUN SYSTEM...: runs `RUN SYSTEM` for each system in turn, ROUNDS (3) times, and prints a row of the table: the least
# seconds of the first system, and those of each other system divided by it. RUN prints seconds, or fails where the system
# lacks the command.
compare() {
    local label=$1 run=$2 system seconds cells= first=$3
    shift 2
    declare -A least=()
    for _ in $(seq "${ROUNDS:-3}"); do
        for system; do
            [ "${least[$system]:-}" != - ] || continue
            seconds=$($run "$system") || seconds=-
            if [ -z "${least[$system]:-}" ] || [ "$seconds" = - ] || awk "BEGIN { exit !($seconds < ${least[$system]}) }"; then
                least[$system]=$seconds
            fi
        done
    done
    [ "${least[$first]}" != - ] || { echo "bench: $label: $(cat messages)" >&2; exit 1; }
    shift
    for system; do
        if [ "${least[$system]}" = - ]; then
            cells="$cells - |"
        else
            seconds=$(awk "BEGIN { s = ${least[$first]}; printf \"%.2f\", ${least[$system]} / (s > 0 ? s : 0.001) }")
            echo "$system $seconds" >>ratios
            cells="$cells $seconds |"
        fi
    done
    printf '| %s | %.3f |%s\n' "$label" "${least[$first]}" "$cells"
}

# means SYSTEM...: the last row of a table, the geometric mean of each column, and the number of rows in which the first system is
# not slower.
means() {
    local system cells=
    for system; do
        cells="$cells $(awk -v of="$system" '
            $1 == of { sum += log($2 > 0 ? $2 : 0.01); ahead += $2 >= 1; rows++ }
            END { if (rows) printf "%.2f (%d of %d)", exp(sum / rows), ahead, rows; else printf "-" }' ratios) |"
    done
    printf '| geometric mean (rows in which rbox is not slower) | |%s\n' "$cells"
    rm -f ratios
}

# idle COMMAND...: private dirty memory, in kB, of a program that waits for its standard input.
idle() {
    local pid memory
    rm -f fifo
    mkfifo fifo
    "$@" <fifo >/dev/null 2>&1 &
    pid=$!
    exec 9>fifo
    # It waits once it sleeps in a read; this is for its start.
    sleep 1
    memory=$(awk '$1 == "Private_Dirty:" { print $2 }' "/proc/$pid/smaps_rollup")
    exec 9>&-
    wait "$pid"
    echo "$memory"
}

# instructions COMMAND...: those that it executes in user space.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}
