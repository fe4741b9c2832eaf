# Sourced by the other scripts, POSIX sh. Leaves `root` (the checkout) and `python` (that of .venv) set,
# and everything installed that the script needs. No effect and no delay when all is in place.

case $0 in
    */*) here=${0%/*} ;;
    *) here=. ;;
esac
root=$(CDPATH= cd -- "$here/.." && pwd -P) || exit 1
venv=$root/.venv
python=$venv/bin/python
newline='
'
export PYTHONUTF8=1

fail() { # sentence, remedy
    printf '%s\n→ %s\n' "$1" "$2" >&2
    exit 1
}

supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

find_python() {
    for candidate in ${VAULTRAG_PYTHON:+"$VAULTRAG_PYTHON"} python3.11 python3.12 python3.13 python3 python; do
        if "$candidate" -c "$supported" >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    case $(uname -s) in
        Darwin) remedy='Install one, for example: brew install python@3.12' ;;
        *) remedy='Install one, for example: sudo apt install python3 python3-venv (or your system'\''s package)' ;;
    esac
    fail 'Python 3.11, 3.12 or 3.13 is needed, and none was found.' \
        "$remedy; or name one: VAULTRAG_PYTHON=/path/to/python3"
}

make_venv() {
    if "$python" -c "$supported; import pip" >/dev/null 2>&1; then return; fi
    base=$(find_python) || exit 1
    if said=$("$base" -m venv --clear "$venv" 2>&1) && "$python" -c 'import pip' >/dev/null 2>&1; then return; fi
    case $said in
        '' | *'ensurepip is not'* | *'No module named'*)
            fail "$base could not make the virtual environment $venv." \
                "Install its venv module (Debian and Ubuntu: sudo apt install python3-venv) and run this again."
            ;;
    esac
    last=${said##*"$newline"}
    fail "$base could not make the virtual environment $venv: ${last#Error: }" \
        'Mend that (a full disk? a folder that may not be written to?), or move this folder; then run this again.'
}

prepare() { # arguments of install.py: [--dev] [--backend NAME] [--rebuild] [--model NAME ...]
    make_venv
    "$python" "$root/scripts/install.py" "$@" || exit $?
}

vaultrag() { "$python" -m vaultrag "$@"; }

default_bench_data() {
    if [ -z "${VAULTRAG_BENCH_DATA:-}" ] && [ -d "$root/../shared/data" ]; then
        VAULTRAG_BENCH_DATA=$root/../shared/data
        export VAULTRAG_BENCH_DATA
    fi
}
