"""Our voice files made anew: `python -m tests.voice_files`. Needs espeak-ng (Debian).

They are a stand-in that every home has; a municipality records its own (docs/home-unit.md).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import av

from edge.alarm import Phrase
from edge.voice.phrases import OURS, words
from telecare.wire.homes import HomeSettings

VOICES = {"sv": "sv", "fi": "fi", "en": "en-gb"}
WORDS_A_MINUTE = "140"
BITS_PER_S = 16_000


def main() -> None:
    if subprocess.run(["which", "espeak-ng"], capture_output=True, check=False).returncode != 0:
        sys.exit("espeak-ng is missing: apt install espeak-ng")
    with tempfile.TemporaryDirectory() as folder:
        for language, voice in VOICES.items():
            (OURS / language).mkdir(exist_ok=True)
            for phrase in Phrase:
                text = words(phrase, "", HomeSettings(language=language)).text
                spoken = Path(folder) / "spoken.wav"
                command = ["espeak-ng", "-v", voice, "-s", WORDS_A_MINUTE, "-w", str(spoken), text]
                subprocess.run(command, check=True)
                as_opus(spoken, OURS / language / f"{phrase}.opus")


def as_opus(wave: Path, made: Path) -> None:
    """Mono, small; bit-exact, so that the same words give the same file."""
    with av.open(str(wave)) as heard, av.open(str(made), "w", format="ogg") as kept:
        kept.flags |= av.container.Flags.bitexact.value
        stream = kept.add_stream("libopus", rate=48_000, layout="mono", bit_rate=BITS_PER_S)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in heard.decode(audio=0):
            for piece in resampler.resample(frame):
                kept.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            kept.mux(stream.encode(piece))
        kept.mux(stream.encode(None))


if __name__ == "__main__":
    main()
