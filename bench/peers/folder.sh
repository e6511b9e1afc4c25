#!/usr/bin/env bash
# From a folder of photos to features of MobileNetV2, penult and ONNX Runtime with Pillow in turn:
#
#   bench/peers/folder.sh [--photos DIR] [--threads 1,2] [--taps A,B] [--count N] [--rounds N]
#
# Without --photos, photos of 0.2 Mpx are made of the sample photos. Compared with the faster of batches 1 and 8. Prepares what bench/peers/run.sh
# prepares. Run it while nothing else runs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/show_help.sh"
exec "$(dirname "${BASH_SOURCE[0]}")/run.sh" --script folder.py "$@"
