"""Lamp, screen and voice say what the home's alarms have become; nothing here decides what."""

import asyncio
from collections.abc import Iterable
from typing import Literal, assert_never

from edge.alarm import Effect, Phrase, Shown, Sign, Spoken
from edge.hardware.lamp import Lamp
from edge.hardware.screen import Screen
from edge.hardware.speaker import Speaker
from edge.voice.phrases import Words, words
from telecare.wire.homes import HomeSettings

Notice = Literal["lamp", "lamp_and_sound", "none"]
MOST_UNSAID = 4
"""Beyond it the oldest words are dropped: they are no longer true."""


class Announcer:
    """`run` speaks, one thing at a time; lamp and screen change at once."""

    def __init__(
        self, settings: HomeSettings, *, lamp: Lamp, screen: Screen, speaker: Speaker
    ) -> None:
        self._settings = settings
        self._lamp = lamp
        self._screen = screen
        self._speaker = speaker
        self._unsaid: asyncio.Queue[Words] = asyncio.Queue(MOST_UNSAID)
        self._sign = Sign.QUIET
        self._is_looked_at = False
        self._speaking = asyncio.Lock()
        """One thing at a time."""

    async def run(self) -> None:
        self._light()
        while True:
            words = await self._unsaid.get()
            async with self._speaking:
                await self._speaker.say(words)

    def tell(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Shown(sign=sign, phrase=phrase, by=by):
                    self._sign = sign
                    self._light()
                    self._screen.tell("" if phrase is None else self._words(phrase, by).text)
                case Spoken(phrase=phrase, by=by):
                    self._speak(self._words(phrase, by))
                case _:
                    assert_never(effect)

    def look(self, notice: Notice, *, is_on: bool) -> None:
        """Somebody sees her now, or no more. An alarm's own sign goes before it."""
        self._is_looked_at = is_on and notice != "none"
        self._light()
        if is_on and notice == "lamp_and_sound":
            self._speak(self._words(Phrase.LOOKS, ""))

    async def before_speech(self) -> None:
        """Lamp and signal, whatever notice was agreed: a voice must not come from nowhere."""
        self._is_looked_at = True
        self._light()
        async with self._speaking:
            await self._speaker.say(self._words(Phrase.SPEAKS, ""))

    def _light(self) -> None:
        looked_at = self._is_looked_at and self._sign is Sign.QUIET
        self._lamp.show(Sign.LOOKS if looked_at else self._sign)

    def _speak(self, spoken: Words) -> None:
        if self._unsaid.full():
            self._unsaid.get_nowait()
        self._unsaid.put_nowait(spoken)

    def _words(self, phrase: Phrase, by: str) -> Words:
        return words(phrase, by, self._settings)
