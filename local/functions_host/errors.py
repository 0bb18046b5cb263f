"""What can go wrong before a function runs.

HostError
├── HostConfigError      host.json or the command line is wrong: the host doesn't start
├── AppLoadError         function_app.py can't be imported or holds no app: the host doesn't start
├── SettingMissingError  a %NAME% or a connection without a value: the function isn't offered
└── IndexingError        one function's bindings are wrong: the function isn't offered
"""


class HostError(Exception):
    """Base of the host's own errors."""


class HostConfigError(HostError):
    """host.json or an option can't be used."""


class AppLoadError(HostError):
    """The app's module can't be loaded."""


class SettingMissingError(HostError):
    """A setting that a binding names has no value."""


class IndexingError(HostError):
    """A function's bindings can't be used."""
