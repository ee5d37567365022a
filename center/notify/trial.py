"""One message to a target that says it is a test."""

from __future__ import annotations

import aiohttp
import msgspec

from center.notify import webhook
from center.notify.push import Pusher
from center.notify.settings import Target
from center.notify.words import Message
from center.said import BETWEEN
from contracts.city import City
from contracts.clock import Clock, epoch_ms, iso
from contracts.errors import Permanent, Temporary

TITLES = {"zh": "网格哨兵 测试消息", "en": "Gridsentry: a test message"}
BODIES = {
    "zh": "收到此消息说明通知已接通，无需处理。",
    "en": "If you read this, notifications arrive. Nothing needs to be done.",
}


async def trial(target: Target, timeout_s: float, city: City, clock: Clock) -> str | None:
    """Send it once; None when it was taken, else why not."""
    now = clock.now()
    try:
        if target.how == "apprise":
            tongues = ("zh", "en") if target.lang == "both" else (target.lang,)
            title = BETWEEN.join(TITLES[t] for t in tongues)
            message = Message(title, "\n".join(BODIES[t] for t in tongues), urgent=False)
            await Pusher(target.name, target.url, timeout_s).send(message)
            return None
        key = f"test:{target.name}:{epoch_ms(now)}"
        event = {
            "specversion": "1.0",
            "id": key,
            "source": f"/gridsentry/{city.id}",
            "type": "gridsentry.test",
            "time": iso(now),
            "data": {"text_en": BODIES["en"], "text_zh": BODIES["zh"]},
        }
        async with aiohttp.ClientSession() as session:
            await webhook.post(
                session,
                target.url,
                secret=target.secret,
                key=key,
                seconds=epoch_ms(now) // 1000,
                body=msgspec.json.encode(event),
                timeout_s=timeout_s,
            )
    except Temporary as error:
        return str(error)
    except Permanent as error:
        return error.reason
    return None
