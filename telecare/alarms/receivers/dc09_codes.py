"""What DC-09's two code lists mean for us: SIA (DC-03, two letters) and Contact ID (DC-05, three
digits). A code that is not here is an alarm.
"""

from telecare.alarms.receivers.arrived import Fault, Kind, Trigger

Meaning = tuple[Kind, Trigger, Fault | None]

ALARM: Meaning = ("alarm", "other", None)


def _alarm(trigger: Trigger) -> Meaning:
    return "alarm", trigger, None


def _fault(fault: Fault) -> Meaning:
    return "technical", "other", fault


CANCEL: Meaning = ("cancel", "other", None)
TEST: Meaning = ("test", "other", None)
INFORMATION: Meaning = ("information", "other", None)

SIA: dict[str, Meaning] = {
    "MA": _alarm("button"),
    "PA": _alarm("button"),
    "QA": _alarm("button"),
    "FA": _alarm("smoke"),
    "AT": _fault("mains_lost"),
    "AR": _fault("mains_back"),
    "YT": _fault("battery_low"),
    "YM": _fault("battery_failed"),
    "YR": _fault("battery_ok"),
    "XT": _fault("battery_low"),
    "XR": _fault("battery_ok"),
    "YC": _fault("line_lost"),
    "LT": _fault("line_lost"),
    "YK": _fault("line_back"),
    "LR": _fault("line_back"),
    "XL": _fault("radio_lost"),
    "XC": _fault("radio_back"),
    "TA": _fault("tamper"),
    "MT": _fault("fault"),
    "PT": _fault("fault"),
    "FT": _fault("fault"),
    "BT": _fault("fault"),
    "YP": _fault("fault"),
    "BC": CANCEL,
    "FC": CANCEL,
    "MC": CANCEL,
    "PC": CANCEL,
    "MH": CANCEL,
    "MR": CANCEL,
    "PH": CANCEL,
    "PR": CANCEL,
    "QH": CANCEL,
    "QR": CANCEL,
    "FH": CANCEL,
    "FR": CANCEL,
    "BH": CANCEL,
    "BR": CANCEL,
    "TR": CANCEL,
    "RP": TEST,
    "RX": TEST,
    "TX": TEST,
    "TS": TEST,
    "TE": TEST,
    "OP": INFORMATION,
    "CL": INFORMATION,
    "OA": INFORMATION,
    "CA": INFORMATION,
    "OG": INFORMATION,
    "CG": INFORMATION,
}

CONTACT_ID: dict[str, Meaning] = {
    "100": _alarm("button"),
    "101": _alarm("button"),
    "110": _alarm("smoke"),
    "111": _alarm("smoke"),
    "120": _alarm("button"),
    "121": _alarm("button"),
    "122": _alarm("button"),
    "123": _alarm("button"),
    "137": _fault("tamper"),
    "144": _fault("tamper"),
    "145": _fault("tamper"),
    "383": _fault("tamper"),
    "300": _fault("fault"),
    "301": _fault("mains_lost"),
    "302": _fault("battery_low"),
    "311": _fault("battery_failed"),
    "338": _fault("battery_low"),
    "384": _fault("battery_low"),
    "350": _fault("line_lost"),
    "351": _fault("line_lost"),
    "352": _fault("line_lost"),
    "354": _fault("line_lost"),
    "381": _fault("radio_lost"),
    "406": CANCEL,
    "601": TEST,
    "602": TEST,
    "603": TEST,
    "607": TEST,
}
"""Of new events (1). A restored one (3) is the fault's end, or a reset."""

RESTORED: dict[Fault, Fault] = {
    "mains_lost": "mains_back",
    "battery_low": "battery_ok",
    "battery_failed": "battery_ok",
    "line_lost": "line_back",
    "radio_lost": "radio_back",
}

URGENCY: tuple[Kind, ...] = ("alarm", "technical", "cancel", "test", "information", "heartbeat")
"""A message with several events is of the first of these that is among them."""
