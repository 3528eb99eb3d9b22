#!/bin/sh
# demo.sh VL2 OUT [MODEL]: asks the questions that come with the bundled model, shows each picture,
# question and streamed answer, and writes pictures with boxes into the folder OUT. Needs jq.
set -eu

if [ $# -lt 2 ]; then
  echo "usage: demo.sh VL2 OUT [MODEL]" >&2
  exit 2
fi
vl2=$1 out=$2
model=${3:-$(dirname "$(dirname "$0")")/models/vl2-nano}
demo=$model/demo
command -v jq >/dev/null || { echo "demo.sh needs jq" >&2; exit 1; }
mkdir -p "$out"

if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
else bold= dim= off=; fi

count=0 drawn=0 shown=
while IFS= read -r case; do
  count=$((count + 1))
  pictures=$(printf '%s' "$case" | jq -r '.images[]')
  prompt=$(printf '%s' "$case" | jq -r '.prompt')
  # The picture's place in the prompt is of no interest to a reader.
  question=$(printf '%s' "$prompt" | grep -v '^<image>$')

  set --
  for picture in $pictures; do set -- "$@" -i "$demo/$picture"; done
  if [ "$pictures" != "$shown" ]; then
    printf '\n%s%s%s\n' "$dim" "$(printf '%s' "$pictures" | sed "s|^|$demo/|" | paste -sd ' ')" "$off"
    shown=$pictures
  fi
  printf '%s\n' "$question" | sed "s/^/  $bold? /; s/\$/$off/"
  printf '  > '
  case $prompt in
    *'<|ref|>'* | *'<|grounding|>'*)
      drawn=$((drawn + 1))
      "$vl2" run -m "$model" "$@" --draw "$out/boxes_$drawn.png" "$prompt" </dev/null 2>"$out/notes" || {
        cat "$out/notes" >&2
        exit 1
      }
      printf '    %s%s%s\n' "$dim" "$(sed 's/^vl2: //' "$out/notes")" "$off"
      ;;
    *) "$vl2" run -m "$model" "$@" "$prompt" </dev/null ;;
  esac
done <"$demo/demo.jsonl"
rm -f "$out/notes"

printf '\n%d questions answered, %d pictures with boxes in %s\n' "$count" "$drawn" "$out"
printf 'These pictures were chosen: the model answers them right. Its README says what it cannot do.\n'
