"""Clips of sound become samples: one channel, float, at their own rate.

WAV and FLAC are decoded in memory by PyAV (whatever else it reads as well). The clip itself is not
kept afterwards: what detectors need of it is its loudness, and speech is nobody's business.
"""

from __future__ import annotations

import io
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from contracts.errors import Permanent
from contracts.nouns import Clip, Sound

MAX_SECONDS: Final = 120.0
"""The longest clip: gateways send 5 to 10 s; a few hundred kB of FLAC can hold hours of silence."""
MAX_SAMPLES: Final = 24_000_000
"""All channels together: 120 s of stereo at 96 kHz."""


def decode(clip: Clip, *, max_seconds: float = MAX_SECONDS) -> Sound:
    """The samples of a clip, channels averaged, -1 to 1, shape (samples,), read-only.

    Raises Permanent `bad_sound`, `no_sound` when there is not one sample, `too_large` beyond the
    limits.
    """
    try:
        with av.open(io.BytesIO(clip.data), mode="r") as file:
            if not file.streams.audio:
                raise Permanent("bad_sound", "there is no sound in it")
            rate = file.streams.audio[0].rate or 0
            if rate < 1:
                raise Permanent("bad_sound", "it does not say how many samples make a second")
            pieces: list[NDArray[np.float32]] = []
            mono = av.AudioResampler(format="fltp", layout="mono", rate=rate)
            count = total = 0
            for frame in file.decode(audio=0):
                total += frame.samples * max(1, frame.layout.nb_channels)
                count += frame.samples
                if count > max_seconds * rate or total > MAX_SAMPLES:
                    raise Permanent(
                        "too_large", f"a clip may have {max_seconds:.0f} s; this one has more"
                    )
                pieces.extend(_samples(one) for one in mono.resample(frame))
            pieces.extend(_samples(one) for one in mono.resample(None))
    except (FFmpegError, ValueError, EOFError) as error:
        raise Permanent("bad_sound", f"the sound cannot be decoded: {error}") from None
    if not any(len(piece) for piece in pieces):
        raise Permanent("no_sound", "the clip has not one sample")
    samples = np.nan_to_num(np.concatenate(pieces), nan=0.0, posinf=1.0, neginf=-1.0)
    samples = np.clip(samples, -1.0, 1.0).astype(np.float32)
    samples.setflags(write=False)
    return Sound(clip.device, clip.at, clip.received_at, float(rate), samples)


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1)
