# Sourced by scripts: where --help or -h is their first argument, prints the comment at their top, and
# ends them.
if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0"
  exit 0
fi
