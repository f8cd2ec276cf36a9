"""Settings of all tests."""

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the environments of frameworks and of the browser have none
    pass
else:
    # Machines are shared: how long a strategy or an example takes says nothing about it.
    settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("shared")
