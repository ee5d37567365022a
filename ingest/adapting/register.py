"""Who is registered: from what a gateway calls a device to our own device."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Permanent
from ingest.topics import ID, shown

_EUI = re.compile(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){7}")


def plain_eui(name: str) -> str | None:
    """An EUI-64 as 16 small hexadecimal digits, however it is written; None: it is none."""
    return re.sub("[:-]", "", name).lower() if _EUI.fullmatch(name) else None


class Unknown(Permanent):
    """A device that nobody registered; `device` is what the gateway calls it."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__("unknown_device", reason)
        self.device = device


class Register:
    """The city's devices by their own ids and by their aliases.

    An EUI-64 is known in any spelling (`24E1…`, `24:e1:…`). With `district`, devices of other
    districts are refused: what comes through a gateway may speak for that district only.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        aliases: Mapping[str, Alias] | None = None,
        district: str | None = None,
    ) -> None:
        self._devices = devices
        self._aliases: dict[str, Alias] = dict(aliases or {})
        self._district = district
        self._of: dict[str, list[Alias]] = {}
        for alias in self._aliases.values():
            self._of.setdefault(alias.device, []).append(alias)
        self._euis: dict[str, str] = {}
        for name, device in [
            *((alias.alias, alias.device) for alias in self._aliases.values()),
            *((device.id, device.id) for device in devices.values()),
        ]:
            eui = plain_eui(name)
            if eui is not None:
                self._euis[eui] = device

    def find(self, *names: str | None) -> Device | None:
        """The device that goes by the first of these names that is known; None: nobody."""
        for name in names:
            if not name:
                continue
            device = self._devices.get(name)
            if device is None and (alias := self._aliases.get(name)) is not None:
                device = self._devices.get(alias.device)
            if device is None and (eui := plain_eui(name)) is not None:
                device = self._devices.get(self._euis.get(eui, ""))
            if device is not None:
                return device
        return None

    def device(self, *names: str | None) -> Device:
        """Like `find`, but raises Unknown (with the first name) or Permanent `wrong_district`."""
        device = self.find(*names)
        if device is None:
            raise self.unknown(names)
        if self._district is not None and device.district != self._district:
            raise Permanent(
                "wrong_district",
                f"device {device.id!r} is registered in district {device.district!r}, but this "
                f"gateway speaks for {self._district!r} only",
            )
        return device

    def alias(self, device: Device, *names: str | None) -> Alias | None:
        """What `aliases.csv` says of the device: the line of one of these names, else its own line
        if there is just one."""
        own = self._of.get(device.id)
        if not own:
            return None
        for name in names:
            for alias in own:
                if name and (
                    alias.alias == name
                    or (plain_eui(name) or name) == (plain_eui(alias.alias) or alias.alias)
                ):
                    return alias
        return own[0] if len(own) == 1 else None

    @staticmethod
    def unknown(names: Iterable[str | None]) -> Unknown:
        """The refusal of a device that goes by these names, with what to do about it."""
        told = [name for name in names if name]
        if not told:
            return Unknown("?", "the message does not say which device it is of")
        first = told[0]
        called = shown(first) + "".join(f" (also {shown(name)})" for name in told[1:] if name)
        where = "in devices.csv, or in aliases.csv as a name of a device"
        if not ID.fullmatch(first):
            where = "in aliases.csv as a name of a device of devices.csv"
        return Unknown(
            first,
            f"no device goes by {called}; its messages are kept and taken up once the name "
            f"stands {where}",
        )
