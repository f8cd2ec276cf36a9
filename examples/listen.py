"""Listen to the customer through the echo-cancelled microphone: print who speaks when. Ends with Ctrl-C."""

import contextlib

from mien.client import BargeIn, Ear, NearEnd, UserStarted, UserStopped, connect

blocks = 0
with connect(name="listen") as voice, contextlib.suppress(KeyboardInterrupt):
    for heard in voice.listen("speech"):  # "always" for all sound, not only utterances
        match heard:
            case Ear(state=state, why=why):
                print(f"ear: {state} {why}".rstrip(), flush=True)
            case UserStarted():
                blocks = 0
                print("the customer speaks", flush=True)
            case NearEnd():
                blocks += 1  # heard.data is 20 ms of s16le at 16 kHz: pass it on to a recogniser
            case UserStopped(at_ns=at_ns, started_at_ns=started_ns):
                print(f"for {(at_ns - started_ns) / 1e6:.0f} ms, in {blocks} blocks", flush=True)
            case BargeIn(action=action, turn=turn, heard_ms=heard_ms):
                print(f"turn {turn} {action} after {heard_ms:.0f} ms", flush=True)
