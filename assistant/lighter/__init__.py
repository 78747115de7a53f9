"""What Rasa does in vain on every turn, taken away. Nothing here changes what is understood, chosen or said.

Rasa loads the tracker store by its name in endpoints.yml, however it is started, and before it loads the model: the
store calls ``make_rasa_lighter``. Each part stands in for one class or function of Rasa 3.6 and says which.
"""

from __future__ import annotations


def make_rasa_lighter() -> None:
    """From now on, in this process. Safe to repeat."""
    import rasa.core.actions.action
    import rasa.core.processor

    from assistant.lighter.action_call import LightRemoteAction
    from assistant.lighter.graph_runner import InOrderRunner
    from assistant.lighter.schema_memo import remember_checked_schemas

    remember_checked_schemas()
    rasa.core.processor.DaskGraphRunner = InOrderRunner
    rasa.core.actions.action.RemoteAction = LightRemoteAction
