"""What a false alarm really was, by kind: the list that people choose from, (zh, en)."""

from __future__ import annotations

from typing import Final

Words = tuple[str, str]

ANY: Final[dict[str, Words]] = {
    "drill": ("演练或测试", "A drill or a test"),
    "works": ("施工作业", "Works"),
    "sensor": ("设备误读", "The sensor misread"),
    "other": ("其他（请说明）", "Something else (say what)"),
}
"""Of every kind."""

CAUSES: Final[dict[str, dict[str, Words]]] = {
    "high_altitude_throw": {
        "bird": ("飞鸟", "A bird"),
        "laundry": ("晾晒衣物", "Laundry"),
        "rain": ("雨雪", "Rain or snow"),
        "leaves": ("树叶、塑料袋飘落", "Leaves or a bag in the wind"),
        "insect": ("镜头前飞虫", "An insect at the lens"),
        "light": ("灯光、反光或影子", "Light, a reflection or a shadow"),
        "drone": ("无人机、风筝", "A drone or a kite"),
        "cleaning": ("外墙清洗、吊绳作业", "Facade cleaning or rope work"),
        "ground": ("地面行人、车辆", "People or vehicles on the ground"),
    },
    "flooding": {
        "splash": ("车辆溅水", "Splashing by vehicles"),
        "washing": ("道路冲洗、洒水", "Street washing"),
        "debris": ("探头被杂物遮挡", "Debris on the sensor"),
        "discharge": ("正常排水", "A usual discharge"),
    },
    "drain_blocked": {
        "rain": ("短时强降雨", "A cloudburst"),
        "cleaning": ("清淤作业", "Dredging"),
        "dry": ("枯水无流量", "No water in it"),
        "gate": ("闸门、泵站操作", "A gate or pump was operated"),
    },
    "manhole_cover_displaced": {
        "traffic": ("车辆碾压震动", "Shaken by traffic"),
        "opened": ("检修开盖", "Opened for maintenance"),
    },
    "hydrant_no_pressure": {
        "use": ("正常取水、消防演练", "Water was being taken"),
        "supply": ("供水计划停水", "Planned supply cut"),
    },
    "severed_cable": {
        "outage": ("停电", "A power cut"),
        "switching": ("倒闸、负荷投切", "Switching"),
        "customer": ("用户侧断电", "A customer switched off"),
        "wind": ("风摆、碰线", "Swaying in the wind"),
    },
    "fibre_break": {
        "patch": ("割接、跳接", "Patching"),
        "noise": ("曲线噪声", "Noise on the trace"),
        "power": ("设备断电", "The equipment lost power"),
    },
    "street_light_out": {
        "schedule": ("开关灯时间调整", "The schedule changed"),
        "dimming": ("调光", "Dimming"),
        "outage": ("停电", "A power cut"),
    },
    "pole_tilt": {
        "wind": ("大风摆动", "Wind"),
        "knocked": ("传感器被碰动", "The sensor was knocked"),
    },
    "loud_sound": {
        "firework": ("烟花爆竹", "Fireworks"),
        "thunder": ("雷声", "Thunder"),
        "traffic": ("车辆、鸣笛", "Traffic or a horn"),
        "music": ("广场音乐、喇叭", "Music or loudspeakers"),
    },
    "sensor_silent": {
        "network": ("网络中断", "The network was away"),
        "maintenance": ("设备检修", "Maintenance"),
        "moved": ("设备已拆除", "It was taken down"),
    },
    "sensor_faulty": {
        "real": ("读数属实", "The readings were right"),
        "maintenance": ("设备检修", "Maintenance"),
    },
}


def causes(kind: str) -> dict[str, Words]:
    """What an alarm of this kind may have been, its own first."""
    return {**CAUSES.get(kind, {}), **ANY}
