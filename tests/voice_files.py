"""Our voice files made anew: `python -m tests.voice_files`. Needs espeak-ng (Debian).

They are a stand-in that every home has; a municipality records its own (docs/home-unit.md).
"""

import math
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from edge.alarm import Phrase
from edge.voice.phrases import OURS, words
from telecare.wire.homes import HomeSettings

CHIMED = {Phrase.SPEAKS}
"""A voice that follows must not come from nowhere."""
CHIME = ((659.25, 0.35), (523.25, 0.55))
"""Hertz and seconds."""
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
                chime = CHIME if phrase in CHIMED else ()
                as_opus(spoken, OURS / language / f"{phrase}.opus", chime)


def tone(hertz: float, seconds: float) -> av.AudioFrame:
    """A bell: loud at once, and dying away."""
    count = int(48_000 * seconds)
    sound = array(
        "h",
        (
            int(9_000 * math.exp(-4 * n / count) * math.sin(2 * math.pi * hertz * n / 48_000))
            for n in range(count)
        ),
    )
    frame = av.AudioFrame(format="s16", layout="mono", samples=count)
    frame.planes[0].update(sound.tobytes())
    frame.sample_rate = 48_000
    frame.time_base = Fraction(1, 48_000)
    return frame


def as_opus(wave: Path, made: Path, chime: Sequence[tuple[float, float]]) -> None:
    """Mono, small; bit-exact, so that the same words give the same file."""
    with av.open(str(wave)) as heard, av.open(str(made), "w", format="ogg") as kept:
        kept.flags |= av.container.Flags.bitexact.value
        stream = kept.add_stream("libopus", rate=48_000, layout="mono", bit_rate=BITS_PER_S)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        begun = 0
        for hertz, seconds in chime:
            sound = tone(hertz, seconds)
            sound.pts = begun
            begun += sound.samples
            kept.mux(stream.encode(sound))
        for frame in [*heard.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                piece.pts = begun + (piece.pts or 0)
                kept.mux(stream.encode(piece))
        kept.mux(stream.encode(None))


if __name__ == "__main__":
    main()
