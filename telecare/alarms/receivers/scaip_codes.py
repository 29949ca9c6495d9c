"""What SCAIP's codes mean for us (SS 91100:2014, from implementations' public lists, not from the
standard itself). A code that is not here is an alarm.
"""

from telecare.alarms.receivers.arrived import Fault, Room, Trigger

MANUAL_ALARM = "0010"
TAMPER_DEVICE = "0038"

FAULTS: dict[str, Fault] = {
    "0014": "battery_failed",
    "0015": "battery_ok",
    "0016": "battery_low",
    "0023": "line_lost",
    "0112": "line_back",
    "0024": "line_lost",
    "0113": "line_back",
    "0025": "line_lost",
    "0114": "line_back",
    "0026": "line_lost",
    "0115": "line_back",
    "0027": "line_lost",
    "0116": "line_back",
    "0042": "fault",
    "0052": "fault",
    "0065": "fault",
    "0066": "fault",
    "0067": "fault",
    "0073": "radio_lost",
    "0075": "radio_back",
    "0085": "mains_lost",
    "0086": "mains_back",
    "0095": "fault",
    "0105": "fault",
    "0123": "radio_lost",
    "0124": "radio_back",
    "0125": "tamper",
}
"""By status code: technical, whatever the type of message. Off- and online are a device's."""

TESTS = frozenset({"0102", "0103"})
"""Test transmission, primary and redundant."""

CANCELS = frozenset({"0002", "0019"})
"""Abort, cancel."""

NEVER_ALARMS = frozenset({"0005", "0070", "0082", "0083", "0087", "0088", "0092", "0093", "0111"})
"""Acknowledge, normal state, pill reminder and taken, presence, reset, intervention complete."""

STATES = frozenset({
    "0003", "0006", "0071", "0072", "0074", "0076", "0089", "0096", "0097", "0117", "0119",
    "0120", "0121", "0127",
})  # fmt: skip
"""A sensor's two states: information when sent as information, an alarm when sent as one."""

TRIGGERS: dict[str, Trigger] = {
    "0002": "button",
    "0003": "button",
    "0004": "button",
    "0005": "fall",
    "0006": "button",
    "0007": "button",
    "0011": "pills",
    "0012": "bed",
    "0014": "door",
    "0023": "smoke",
    "0030": "fall",
    "0034": "cord",
    "0047": "smoke",
    "0048": "button",
}
"""By device type."""

ROOMS: dict[str, Room] = {
    "011": "bathroom",
    "012": "bedroom",
    "014": "floor",
    "016": "garden",
    "021": "kitchen",
    "022": "laundry",
    "024": "sauna",
    "025": "stairs",
    "038": "door",
    "039": "front_door",
    "040": "back_door",
    "042": "hall",
    "043": "living_room",
    "047": "common_area",
}
"""By location code, where it says which room."""
