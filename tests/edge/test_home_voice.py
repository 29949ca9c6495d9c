"""The voice of the home: the municipality's files, then ours; a name is never on a command line."""

import sys
from pathlib import Path

import av
import pytest

from edge.alarm import Phrase
from edge.hardware.speaker import PlayerSpeaker
from edge.homes import SETTINGS_FILE, settings_of, speaker_of
from edge.voice.phrases import OURS, sound_file, words
from telecare.wire.homes import HomeSettings

SWEDISH = HomeSettings()


@pytest.fixture
def heard(tmp_path):
    """A player and a speech engine that write down what they were given."""
    log = tmp_path / "heard"
    log.touch()
    script = tmp_path / "play.py"
    script.write_text(
        "import sys\n"
        f"with open({str(log)!r}, 'a') as log:\n"
        "    log.write(' '.join(sys.argv[1:]) + '|' + sys.stdin.read() + '\\n')\n"
    )
    return log


def player(heard: Path) -> tuple[str, ...]:
    return (sys.executable, str(heard.with_name("play.py")), "play", "{file}")


def speech(heard: Path) -> tuple[str, ...]:
    return (sys.executable, str(heard.with_name("play.py")), "speak")


def lines(heard: Path) -> list[str]:
    return heard.read_text().splitlines()


@pytest.mark.parametrize("language", ["sv", "fi", "en"])
@pytest.mark.parametrize("phrase", list(Phrase))
def test_every_phrase_has_a_voice_that_can_be_heard(language, phrase):
    file = sound_file(words(phrase, "", HomeSettings(language=language)), OURS)

    with av.open(str(file)) as sound:
        seconds = sound.duration / 1_000_000
        loudest = max(max(bytes(f.planes[0])) for f in sound.decode(audio=0))

    assert 0.5 < seconds < 15
    assert loudest > 0


async def test_the_municipalitys_own_file_is_played_before_ours(heard, tmp_path):
    own = tmp_path / "voice"
    (own / "sv").mkdir(parents=True)
    (own / "sv" / "arrived.wav").write_bytes(b"RIFF")
    speaker = PlayerSpeaker(player(heard), folder=own)

    await speaker.say(words(Phrase.ARRIVED, "", SWEDISH))
    await speaker.say(words(Phrase.SENDING, "", SWEDISH))

    assert lines(heard) == [
        f"play {own}/sv/arrived.wav|",
        f"play {OURS}/sv/sending.opus|",
    ]


async def test_name_is_spoken_from_standard_input_and_stands_on_no_command_line(heard):
    speaker = PlayerSpeaker(player(heard), speech(heard))

    await speaker.say(words(Phrase.TAKEN, "Maria", SWEDISH))

    assert lines(heard) == ["speak|Maria har tagit emot larmet."]


async def test_home_that_cannot_speak_names_says_home_care(heard):
    await PlayerSpeaker(player(heard)).say(words(Phrase.TAKEN, "Maria", SWEDISH))

    assert lines(heard) == [f"play {OURS}/sv/taken.opus|"]


async def test_the_municipalitys_number_is_said_when_it_can_be(heard, tmp_path):
    municipality = HomeSettings(phone="021-00 00 00")
    own = tmp_path / "voice" / "sv"
    own.mkdir(parents=True)
    (own / "no_contact.opus").write_bytes(b"Ogg")
    spoken = words(Phrase.NO_CONTACT, "", municipality)

    await PlayerSpeaker(player(heard), speech(heard)).say(spoken)
    await PlayerSpeaker(player(heard), speech(heard), own.parent).say(spoken)

    assert lines(heard) == [f"speak|{spoken.text}", f"play {own}/no_contact.opus|"]
    assert "112 eller 021-00 00 00" in spoken.text


async def test_speech_that_fails_gives_way_to_the_file(heard):
    speaker = PlayerSpeaker(player(heard), ("false",))

    await speaker.say(words(Phrase.TAKEN, "Maria", SWEDISH))

    assert lines(heard) == [f"play {OURS}/sv/taken.opus|"]


async def test_player_that_is_missing_is_silent_and_no_error():
    await PlayerSpeaker(("no-such-player", "{file}")).say(words(Phrase.ARRIVED, "", SWEDISH))


def test_unit_speaks_as_its_settings_say(tmp_path):
    (tmp_path / SETTINGS_FILE).write_text(
        '{"language": "fi", "player": ["aplay", "{file}"], "voice_dir": "/srv/voice"}'
    )

    speaker = speaker_of(settings_of(tmp_path))

    assert speaker == PlayerSpeaker(("aplay", "{file}"), (), Path("/srv/voice"))
