# Completion of penult for bash: source this file. Written by tools/make_cli_docs.py from the program's own help; do not edit.
_penult() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "convert fetch inspect extract truncate verify bench doctor --help --version" -- "$word")
    return
  fi
  case "$command $before" in
    "convert --preprocess") mapfile -t COMPREPLY < <(compgen -W "NAME FILE.json" -- "$word"); return ;;
    "extract --pool") mapfile -t COMPREPLY < <(compgen -W "avg max flatten none gem avg+std 2x2" -- "$word"); return ;;
    "extract --dtype") mapfile -t COMPREPLY < <(compgen -W "f32 f16" -- "$word"); return ;;
    "extract --exif") mapfile -t COMPREPLY < <(compgen -W "apply ignore" -- "$word"); return ;;
    "extract --on-error") mapfile -t COMPREPLY < <(compgen -W "skip fail" -- "$word"); return ;;
    "extract --backend") mapfile -t COMPREPLY < <(compgen -W "auto native onednn cudnn reference" -- "$word"); return ;;
    "extract --numerics") mapfile -t COMPREPLY < <(compgen -W "throughput latency" -- "$word"); return ;;
    "extract --precision") mapfile -t COMPREPLY < <(compgen -W "f32 f16" -- "$word"); return ;;
    "verify --backend") mapfile -t COMPREPLY < <(compgen -W "native onednn cudnn reference" -- "$word"); return ;;
    "verify --precision") mapfile -t COMPREPLY < <(compgen -W "f32 f16" -- "$word"); return ;;
    "bench --precision") mapfile -t COMPREPLY < <(compgen -W "f32 f16" -- "$word"); return ;;
    "bench --numerics") mapfile -t COMPREPLY < <(compgen -W "latency throughput" -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    case $command in
      convert) mapfile -t COMPREPLY < <(compgen -W "-h --help -o --output --arch --input-size --preprocess --weights-name --entry --external-data --force" -- "$word") ;;
      fetch) mapfile -t COMPREPLY < <(compgen -W "-h --help -o --output --cache --keep-source --list --force --quiet" -- "$word") ;;
      inspect) mapfile -t COMPREPLY < <(compgen -W "-h --help -v --verbose --no-ms --json" -- "$word") ;;
      extract) mapfile -t COMPREPLY < <(compgen -W "-h --help -m --model -o --output -l --layer --pool --l2-normalize --dtype --exif --on-error --max-failure-rate -b --batch -j --threads --backend --device --numerics --precision --force --quiet --json-progress" -- "$word") ;;
      truncate) mapfile -t COMPREPLY < <(compgen -W "-h --help -l --layer -o --output --force" -- "$word") ;;
      verify) mapfile -t COMPREPLY < <(compgen -W "-h --help --against --arch --entry --external-data --backend --device --precision --quiet" -- "$word") ;;
      bench) mapfile -t COMPREPLY < <(compgen -W "-h --help -l --layer -b --batch -j --threads --backend --device --precision --numerics --seconds --steps --json" -- "$word") ;;
      doctor) mapfile -t COMPREPLY < <(compgen -W "-h --help --probe" -- "$word") ;;
    esac
  fi
}
complete -o default -F _penult penult
