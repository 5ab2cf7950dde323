"""How is speech made that no one understands? Tones, one for each syllable, as a real MP3."""

from __future__ import annotations

import io
import re
from array import array
from dataclasses import dataclass
from hashlib import sha256
from math import exp, sin, tau
from random import Random

import av

RATE = 16_000  # samples a second before they become as many as were asked for
LONGEST = 15.0  # seconds
VOWELS = {"a": (730, 1090), "e": (530, 1840), "i": (270, 2290), "o": (570, 840), "u": (300, 870)}


@dataclass(frozen=True, slots=True)
class SoundSpec:
    """All that a sound depends on: the same spec gives the same sound."""

    text: str
    voice: str
    speed: float
    volume: float
    pitch: int
    sample_rate: int
    bitrate: int
    stereo: bool
    format: str = "mp3"


def sound(spec: SoundSpec) -> bytes:
    """An MP3 that can be heard."""
    out = io.BytesIO()
    layout = "stereo" if spec.stereo else "mono"
    with av.open(out, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=spec.sample_rate, layout=layout)
        stream.bit_rate = spec.bitrate
        resampler = av.AudioResampler("s16p", layout, spec.sample_rate)
        frame = av.AudioFrame("s16", "mono", len(samples := speech(spec)))
        frame.sample_rate = RATE
        frame.planes[0].update(samples.tobytes())
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return out.getvalue()


def speech(spec: SoundSpec) -> array[int]:
    """16-bit samples: a syllable a vowel group, a breath at a comma, a pause at a full stop."""
    digest = sha256(spec.voice.encode()).digest()
    ground = (105 + digest[0] / 255 * 120) * 2 ** (spec.pitch / 12)
    rng = Random(sha256(spec.text.encode("utf-8", "replace")).digest())
    loud = min(1.0, 0.55 * spec.volume**0.5)
    samples = array("h", bytes(RATE // 5))
    for word in re.findall(r"[^\W\d_]+|\d|[,.;:!?]", spec.text[:2000]) or ["a"]:
        if word in ",;:.!?":
            samples.extend(array("h", bytes(2 * int(RATE * (0.1 if word in ",;:" else 0.25)))))
        groups = re.findall(r"[aeiouy]+", word.lower()) or (["a"] if word.isalnum() else [])
        for group in groups:
            length = rng.uniform(0.13, 0.2) / spec.speed
            tone = ground * rng.uniform(0.9, 1.18)
            samples.extend(_syllable(tone, VOWELS.get(group[0], VOWELS["i"]), length, loud))
        samples.extend(array("h", bytes(2 * int(RATE * 0.035 / spec.speed))))
        if len(samples) > LONGEST * RATE:
            break
    samples.extend(array("h", bytes(RATE // 5)))
    return samples


def _syllable(tone: float, formants: tuple[int, int], seconds: float, loud: float) -> array[int]:
    """The tone and its overtones, the stronger the nearer they are to the vowel's formants."""
    partials = []
    for number in range(1, 11):
        pitch = tone * number
        near = sum(exp(-(((pitch - each) / 170) ** 2)) for each in formants)
        partials.append((pitch, (0.12 + near) / number**0.5))
    # A period of the tone is worked out once, and repeated under the syllable's rise and fall.
    period = max(8, round(RATE / tone))
    wave = [
        sum(share * sin(tau * place * pitch / tone / period) for pitch, share in partials)
        for place in range(period)
    ]
    peak = max(1e-6, max(abs(each) for each in wave))
    count = int(seconds * RATE)
    out = array("h", bytes(2 * count))
    for place in range(count):
        share = place / count
        swell = min(1.0, share * 6, (1 - share) * 3)
        out[place] = int(wave[place % period] / peak * swell * loud * 20_000)
    return out
