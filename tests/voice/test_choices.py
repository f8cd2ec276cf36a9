"""Buttons: whose are shown, who learns what was chosen, what ends them; and news of somebody's presence."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

A, B, AGENT, EYE = b"a", b"b", b"agent", b"eye"
TWO = {"yes": "Yes, please", "no": "No, thank you"}


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=A)
    rig.hello(client=B)
    rig.hello(client=AGENT, role="agent")
    rig.hello(client=EYE, role="observer")
    health(rig)
    rig.step(1100)
    return rig


def health(rig):
    rig.voice.report(
        bus.encode(
            bus.FaceHealth(
                epoch=0,
                pid=1,
                level="full",
                fps=30,
                shown=1,
                missed=0,
                offset_median_ms=None,
                offset_p95_ms=None,
                motion_lead_ms=None,
                pss_mb=None,
                counters={},
            )
        )
    )


def offer(rig, client=A, items=TWO, **fields):
    rig.say(wire.Choices(items=tuple(wire.Choice(*item) for item in items.items()), **fields), client=client)


def on_screen(rig):
    """What the face was told last."""
    return [message for message in rig.published if isinstance(message, bus.Choices)][-1]


def choose(rig, name, *, number=None, by="touch", at_ns=5):
    number = on_screen(rig).number if number is None else number
    rig.voice.report(bus.encode(bus.ChoiceMade(epoch=0, number=number, id=name, by=by, at_ns=at_ns)))


def shown(rig, *shortened, qr=False):
    report = bus.ChoicesShown(epoch=0, number=on_screen(rig).number, shortened=shortened, qr=qr)
    rig.voice.report(bus.encode(report))


def told(rig, client):
    return [message for message in (m for who, m in rig.sent if who == client) if isinstance(message, SEEN)]


SEEN = (wire.Offered, wire.Chosen)


def test_what_is_offered_is_shown_and_what_is_chosen_goes_to_who_asked(rig):
    offer(rig)
    assert on_screen(rig).items == tuple(TWO.items())
    shown(rig, "no")
    choose(rig, "no", by="key", at_ns=77)
    assert told(rig, A) == [
        wire.Offered(state="shown", shortened=("no",)),
        wire.Chosen(id="no", by="key", at_ns=77),
    ]
    assert told(rig, B) == told(rig, AGENT) == []


def test_one_offer_is_chosen_from_once(rig):
    offer(rig)
    for _ in range(100):
        choose(rig, "yes")
        choose(rig, "no")
    assert [message.id for message in told(rig, A)] == ["yes"]
    assert rig.counters["choices_stale"] == 199
    offer(rig)
    choose(rig, "no")
    assert [message.id for message in told(rig, A)] == ["yes", "no"]


def test_one_that_may_be_chosen_again_is(rig):
    offer(rig, again=True)
    choose(rig, "yes")
    choose(rig, "yes")
    assert len(told(rig, A)) == 2


def test_the_newer_replaces_and_the_older_is_told(rig):
    offer(rig)
    old = on_screen(rig).number
    offer(rig, client=B, items={"x": "Something else"})
    assert told(rig, A) == [wire.Offered(state="replaced")]
    assert on_screen(rig).items == (("x", "Something else"),)
    choose(rig, "yes", number=old)  # was touched just before
    choose(rig, "x")
    assert [type(message) for message in told(rig, A)] == [wire.Offered]
    assert told(rig, B)[-1].id == "x"


def test_a_client_takes_away_only_its_own(rig):
    offer(rig)
    offer(rig, client=B, items={})
    assert on_screen(rig).items == tuple(TWO.items())
    offer(rig, items={})
    assert on_screen(rig).items == ()
    choose(rig, "yes")
    assert told(rig, A) == []


@pytest.mark.parametrize(
    "end",
    [
        lambda rig: rig.voice.left(A),
        lambda rig: rig.say(wire.Bye(), client=A),
        lambda rig: rig.hello(client=A, role="observer"),
        lambda rig: rig.hello(client=b"c", replaces=rig.got(wire.Welcome, A)[0].session),
    ],
    ids=["gone", "bye", "new role", "replaced"],
)
def test_they_end_with_their_client(rig, end):
    offer(rig)
    end(rig)
    assert on_screen(rig).items == ()
    offer(rig, client=B)
    assert on_screen(rig).items == tuple(TWO.items())


def test_ids_must_differ(rig):
    message = wire.Choices(items=(wire.Choice("a", "One"), wire.Choice("a", "Two")))
    before = len(rig.published)
    rig.say(message)
    assert rig.got(wire.Error, A)[-1].code == "malformed"
    assert "'a'" in rig.got(wire.Error, A)[-1].message
    assert len(rig.published) == before


@pytest.mark.parametrize("drawn", [True, False])
def test_a_qr_code_goes_to_the_face_and_whether_it_can_be_seen_comes_back(rig, drawn):
    offer(rig, qr="https://museum.example/help")
    assert on_screen(rig).qr == "https://museum.example/help"
    shown(rig, qr=drawn)
    assert told(rig, A) == [wire.Offered(state="shown", qr=drawn)]
    offer(rig)
    assert on_screen(rig).qr == ""


def test_a_qr_code_without_a_button_is_refused_and_changes_nothing(rig):
    offer(rig)
    before = len(rig.published)
    offer(rig, items={}, qr="https://museum.example/help")
    assert "offer at least one" in rig.got(wire.Error, A)[-1].message
    assert len(rig.published) == before


def test_welcome_tells_of_qr_codes(rig):
    assert "qr" in rig.got(wire.Welcome, A)[0].capabilities


def test_an_observer_offers_nothing(rig):
    offer(rig, client=EYE)
    rig.say(wire.Presence(), client=EYE)
    assert [error.code for error in rig.got(wire.Error, EYE)] == ["not_allowed"] * 2


def test_while_an_agent_holds_the_floor_only_it_offers(rig):
    offer(rig)
    rig.say(wire.TakeFloor(), client=AGENT)
    offer(rig, client=B)
    assert rig.got(wire.Error, B)[-1].code == "floor_taken"
    offer(rig, items={})  # one's own may always be taken away
    assert on_screen(rig).items == ()
    offer(rig, client=AGENT)
    choose(rig, "yes")
    assert told(rig, AGENT)[-1].id == "yes"


def test_without_a_face_the_client_is_told_and_a_face_that_comes_shows_them():
    rig = VoiceRig()
    rig.hello(client=A)
    rig.step(1100)
    offer(rig)
    assert told(rig, A) == [wire.Offered(state="no_face")]
    rig.published.clear()
    rig.voice.joined()
    assert on_screen(rig).items == tuple(TWO.items())
    shown(rig)
    health(rig)
    rig.step(1000)
    rig.step(4000)  # it dies
    assert [message.state for message in told(rig, A)] == ["no_face", "shown", "no_face"]


def test_a_choice_that_was_never_offered_reaches_nobody(rig):
    offer(rig)
    choose(rig, "maybe")
    assert told(rig, A) == []


class TestPresence:
    def seen(self, rig, client):
        return [(m.present, m.source) for m in rig.got(wire.Presence, client)]

    def test_it_reaches_every_speaker_and_agent_but_its_sender_and_wakes_the_screen(self, rig):
        rig.say(wire.Presence(source="pir"), client=A)
        rig.step(10)
        assert self.seen(rig, B) == self.seen(rig, AGENT) == [(True, "pir")]
        assert self.seen(rig, A) == self.seen(rig, EYE) == []
        assert sum(isinstance(message, bus.PresenceCue) for message in rig.published) == 1

    def test_nobody_wakes_nothing(self, rig):
        rig.say(wire.Presence(present=False, source="pir"), client=A)
        rig.step(10)
        assert self.seen(rig, B) == [(False, "pir")]
        assert not any(isinstance(message, bus.PresenceCue) for message in rig.published)

    def test_observers_of_the_state_are_told_and_so_is_a_touch(self, rig):
        rig.say(wire.Subscribe(topics=("state",)), client=EYE)
        rig.voice.report(bus.encode(bus.Touched(epoch=0)))
        rig.step(10)
        assert self.seen(rig, EYE) == self.seen(rig, A) == [(True, "touch")]

    def test_a_sensor_that_flaps_costs_four_messages_a_second(self, rig):
        for number in range(400):
            rig.say(wire.Presence(present=bool(number % 2), source="pir"), client=A)
            rig.step(5)
        rig.step(300)
        news = self.seen(rig, B)
        assert 8 <= len(news) <= 10
        assert news[-1] == (True, "pir")  # the newest is never lost

    def test_sources_do_not_hide_each_other(self, rig):
        rig.say(wire.Presence(source="door"), client=A)
        rig.step(10)
        rig.say(wire.Presence(source="pir"), client=A)
        rig.say(wire.Presence(present=False, source="door"), client=A)
        rig.step(300)
        assert self.seen(rig, B) == [(True, "door"), (True, "pir"), (False, "door")]

    def test_inventing_sources_is_bounded(self, rig):
        for number in range(1000):
            rig.say(wire.Presence(source=f"s{number}"), client=A)
        rig.step(10)
        assert len(self.seen(rig, B)) == 16


def test_each_offer_has_a_number_of_its_own_that_grows(rig):
    numbers = []
    for _ in range(3):
        offer(rig)
        numbers.append(rig.voice.choices.now.number)
    rig.say(wire.Choices())
    numbers.append(rig.voice.choices.now.number)
    assert numbers == [1, 2, 3, 4]


def test_offers_and_choices_are_counted(rig):
    offer(rig)
    offer(rig, client=B)
    choose(rig, "yes")
    choose(rig, "yes")
    choose(rig, "yes", number=1)
    names = ("choices_offered", "choices_replaced", "choices_made", "choices_stale")
    assert [rig.counters[name] for name in names] == [2, 1, 1, 2]
    rig.say(wire.Choices(), client=A)
    assert rig.counters["choices_offered"] == 2


def test_an_offer_that_a_client_renews_replaces_nobodys(rig):
    offer(rig)
    offer(rig, items={"x": "Other"})
    assert rig.counters["choices_replaced"] == 0
    assert [message.state for message in told(rig, A)] == []


def test_a_face_that_comes_and_goes_is_told_of_once(rig):
    choices = rig.voice.choices
    offer(rig)
    for present in (True, True, False, False, True, False):
        choices.face(present)
    assert [message.state for message in told(rig, A)] == ["no_face", "no_face"]
    rig.say(wire.Choices())
    choices.face(True)
    choices.face(False)
    assert len(told(rig, A)) == 2
