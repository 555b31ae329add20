"""Words and signs that all parts of the page use."""

#: A sign beside each verdict's word, so that colour is never the only difference.
ICONS = {
    "failed": "✖",
    "error": "✖",
    "blocked": "■",
    "warned": "▲",
    "warning": "▲",
    "passed": "✔",
    "waived": "◇",
    "skipped": "○",
    "off": "·",
}
