#!/usr/bin/env bash
# Builds the motion models from scratch: environment, speech, alignments, datasets, training, int8, figures.
# Takes 77 minutes on two idle CPU cores (MODEL_CARD.md). Results in build/ are reused; rm -r build/aligned build/runs to redo.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in apt-get dpkg espeak-ng flite ffmpeg npm; do
    command -v "$tool" >/dev/null || { echo "model: $tool is missing; make setup installs it" >&2; exit 1; }
done

# Speech packages download while pip installs.
models/training/fetch.sh &
fetching=$!
trap 'kill "$fetching" 2>/dev/null || true' EXIT

wanted=$(sha256sum models/training/requirements.txt)
if [ "$(cat .venv-train/.mien-training 2>/dev/null)" != "$wanted" ]; then
    python=${MIEN_PYTHON:-python3.11}
    [ -x .venv-train/bin/python ] || "$python" -m venv .venv-train
    echo "model: installing PyTorch and TensorFlow into .venv-train"
    .venv-train/bin/python -m pip install -q --disable-pip-version-check -r models/training/requirements.txt
    echo "$wanted" > .venv-train/.mien-training
fi

wait "$fetching"
trap - EXIT
export PYTHONPATH=runtime:models OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3
exec .venv-train/bin/python -m training.recipe "$@"
