"""The conversation, stepped by hand: turns, interruptions, commands, faults."""

import pytest

from converse.stepped import MS, Stepped
from mien.converse import events, orders
from mien.converse.phrases import phrases

SAY = phrases("en")


@pytest.fixture
def talk():
    return Stepped()


def test_a_question_is_recognised_and_thought_while_the_silence_still_lasts(talk):
    talk.utter("When are you open?")
    assert talk.last(orders.Recognise).until_ns > talk.last(orders.Recognise).from_ns
    assert talk.last(orders.Think).question == "When are you open?"
    talk.think("We are open until six.")
    assert talk.last(orders.Prepare).text == "We are open until six."
    assert not talk.said()
    talk.wait(40)
    assert not talk.said(), "350 ms of silence have not passed"
    talk.wait(40)
    assert talk.said() == ["We are open until six."]
    assert len(talk.all(orders.Think)) == 1
    assert talk.last(orders.EndSay).answer == talk.last(orders.Say).answer


def test_a_sentence_that_asks_nothing_gets_a_little_more_time(talk):
    talk.utter("Tell me when you are open.")
    talk.think("We are open until six.")
    talk.wait(140)
    assert not talk.said(), "450 ms of silence have not passed"
    talk.wait(40)
    assert talk.said() == ["We are open until six."]


def test_what_the_ear_hears_of_the_room_after_the_last_sound_is_not_recognised_again(talk):
    talk.begin()
    talk.wait(800)
    last_ns = talk.now_ns
    talk.wait(120)
    talk.take(events.Quiet(last_ns))
    talk.recognise("When are you open?")
    talk.think("We are open until six.")
    talk.wait(180)
    talk.take(events.UserEnded(last_ns + 200 * MS))
    assert len(talk.all(orders.Recognise)) == 1
    talk.wait(80)
    assert talk.said() == ["We are open until six."], "the silence began with the last sound"


def test_soft_speech_after_the_last_loud_sound_is_recognised(talk):
    talk.begin()
    talk.wait(800)
    last_ns = talk.now_ns
    talk.wait(120)
    talk.take(events.Quiet(last_ns))
    talk.recognise("When are you")
    talk.wait(400)
    talk.take(events.UserEnded(last_ns + 300 * MS))
    assert len(talk.all(orders.Recognise)) == 2


def test_a_sentence_that_is_not_complete_gets_more_time(talk):
    talk.utter("I would like to go to the")
    talk.think("Yes.")
    talk.wait(600)
    assert not talk.said()
    talk.wait(300)
    assert talk.said() == ["Yes."]


def test_a_question_in_two_halves_is_one_and_what_was_thought_of_the_first_is_dropped(talk):
    talk.utter("How much is")
    first = talk.last(orders.Think).job
    talk.wait(200)
    talk.begin()
    assert orders.Cancel(first) in talk.orders
    talk.wait(500)
    talk.fall_silent("How much is a ticket?")
    begins = {order.from_ns for order in talk.all(orders.Recognise)}
    assert len(begins) == 1, "the second half is recognised together with the first"
    talk.decide()
    talk.think("Twelve euros.")
    assert talk.said() == ["Twelve euros."]
    assert talk.history() == [("How much is a ticket?", "")]


def test_sound_again_after_a_short_silence_drops_the_guess(talk):
    talk.begin()
    talk.wait(600)
    talk.take(events.Quiet(talk.now_ns))
    job = talk.last(orders.Recognise).job
    talk.take(events.SoundAgain())
    assert orders.Cancel(job) in talk.orders
    talk.recognise("How much")
    talk.wait(1000)
    assert not talk.all(orders.Think)


def test_silence_is_not_answered(talk):
    talk.utter("")
    talk.decide()
    assert not talk.said()
    assert not talk.conversation.busy
    assert talk.last(orders.Show).state == "idle"


def test_a_customer_who_is_interrupted_by_the_ear_s_end_leaves_nothing_behind(talk):
    talk.begin()
    talk.wait(500)
    talk.take(events.SoundLost())
    assert not talk.conversation.busy


class TestBargeIn:
    def answering(self, talk, *sentences):
        talk.utter("Tell me about the museum")
        talk.decide()
        talk.think(*(sentences or ("It was founded long ago.", "It has many clocks.")))
        number = talk.speak()
        talk.wait(400)
        return number

    def test_the_rest_is_dropped_and_only_what_was_heard_is_remembered(self, talk):
        number = self.answering(talk)
        talk.begin()
        talk.take(events.BargedIn("ducked"))
        talk.take(events.BargedIn("paused"))
        talk.wait(500)
        talk.fall_silent("Where is the toilet?")
        talk.wait(200)
        assert talk.all(orders.Interrupt)
        talk.over(number, 600, interrupted=True)
        assert talk.history() == [("Tell me about the museum", "It was founded"), ("Where is the toilet?", "")]
        talk.think("Behind the stairs.")
        assert talk.said()[-1] == "Behind the stairs."
        assert not talk.all(orders.Resume)

    def test_the_next_question_s_thinker_knows_what_was_heard(self, talk):
        number = self.answering(talk)
        talk.begin()
        talk.wait(500)
        talk.fall_silent("Stop!")
        talk.wait(200)
        talk.over(number, 1400, interrupted=True)
        talk.utter("Who founded it?")
        assert talk.last(orders.Think).history[0].heard == "It was founded long ago. It has"

    @pytest.mark.parametrize("text", ["", "Mm-hm.", "Okay."])
    def test_a_cough_resumes(self, talk, text):
        number = self.answering(talk)
        before = len(talk.orders)
        talk.begin()
        talk.take(events.BargedIn("paused"))
        talk.wait(100)
        talk.fall_silent(text)
        talk.wait(100)
        assert talk.all(orders.Resume)
        assert not talk.all(orders.Interrupt)
        talk.over(number, 2000)
        assert not talk.said(before)
        assert talk.history() == [("Tell me about the museum", "It was founded long ago. It has many clocks.")]

    def test_the_kiosk_s_own_voice_resumes(self, talk):
        self.answering(talk)
        talk.begin()
        talk.take(events.BargedIn("paused"))
        talk.wait(100)
        talk.fall_silent("was founded long ago")
        talk.wait(300)
        assert talk.all(orders.Resume)
        assert len(talk.history()) == 1

    def test_a_cough_for_which_the_voice_has_already_dropped_the_answer_brings_it_back(self, talk):
        number = self.answering(talk)
        talk.begin()
        talk.take(events.BargedIn("paused"))
        talk.wait(300)
        talk.over(number, 1300, interrupted=True)
        talk.fall_silent("Mm-hm.")
        talk.wait(200)
        again = talk.last(orders.Say)
        assert again.answer != number
        assert again.text == "It has many clocks.", "the first sentence was heard to its end"
        talk.speak(again.answer)
        talk.over(again.answer, 1000)
        assert talk.history()[0][1] == "It was founded long ago. It It has many clocks."

    def test_so_does_one_that_the_voice_drops_before_it_is_told_to_resume(self, talk):
        number = self.answering(talk)
        talk.begin()
        talk.take(events.BargedIn("paused"))
        talk.wait(300)
        talk.fall_silent("Mm-hm.")
        talk.wait(200)
        assert talk.all(orders.Resume)
        talk.over(number, 700, interrupted=True)
        assert talk.said()[-2:] == ["It was founded long ago.", "It has many clocks."]

    def test_without_the_voice_s_own_barge_in_the_speech_is_paused(self, talk):
        self.answering(talk)
        talk.begin()
        assert not talk.all(orders.Pause)
        talk.wait(200)
        assert talk.all(orders.Pause)
        talk.fall_silent("")
        talk.wait(300)
        assert talk.all(orders.Resume)

    def test_speech_that_goes_on_is_no_cough_and_stops_the_answer_at_once(self, talk):
        self.answering(talk)
        talk.begin()
        talk.take(events.BargedIn("ducked"))
        talk.wait(700)
        assert not talk.all(orders.Interrupt)
        talk.wait(200)
        assert len(talk.all(orders.Interrupt)) == 1


def test_questions_that_overlap_are_answered_once(talk):
    talk.utter("Where is the café?")
    talk.decide()
    first = talk.last(orders.Think).job
    talk.utter("And is it open now?")
    assert talk.last(orders.Think).question == "Where is the café? And is it open now?"
    talk.decide()
    assert orders.Cancel(first) in talk.orders
    talk.think("On the first floor, until five.")
    assert talk.said() == ["On the first floor, until five."]
    assert talk.history() == [("Where is the café? And is it open now?", "")]


def test_an_answer_waits_while_the_customer_coughs_and_is_then_given(talk):
    talk.utter("Where is the café?")
    talk.decide()
    talk.begin()
    talk.think("On the first floor.")
    assert not talk.said()
    talk.wait(200)
    talk.fall_silent("")
    talk.decide()
    assert talk.said() == ["On the first floor."]


def test_a_correction_replaces_the_question_and_its_answer(talk):
    talk.ask("How do I get to the port?", "There is no port.")
    talk.utter("No, I meant the airport.")
    talk.decide()
    talk.think("By bus.")
    assert talk.history() == [("the airport.", "")]


class TestCommands:
    def test_repeat_says_the_last_answer_again(self, talk):
        talk.ask("When are you open?", "Until six.", "Except on Monday.")
        before = len(talk.orders)
        talk.utter("Could you repeat that?")
        talk.decide()
        assert talk.said(before) == ["Until six.", "Except on Monday."]
        assert len(talk.all(orders.Think)) == 1
        assert len(talk.history()) == 1

    def test_repeat_before_anything_was_said(self, talk):
        talk.utter("Pardon?")
        talk.decide()
        assert talk.said() == [SAY.nothing_to_repeat]

    def test_slower_repeats_more_slowly_and_so_does_the_next_answer(self, talk):
        talk.ask("When are you open?", "Until six.")
        talk.utter("Slower, please.")
        talk.decide()
        assert talk.last(orders.Say).speed == pytest.approx(0.8)
        talk.over(talk.speak(), 1e9)
        talk.ask("And on Sunday?", "Until six, too.")
        assert talk.last(orders.Say).speed == pytest.approx(0.8)

    def test_quieter_then_louder_sets_the_volume_and_never_beyond_full(self, talk):
        talk.ask("When are you open?", "Until six.")
        for text, gain in (("Quieter!", 1 / 1.4), ("Louder!", 1.0), ("Louder!", 1.0)):
            talk.utter(text)
            talk.decide()
            assert talk.last(orders.Volume).gain == pytest.approx(gain)
            talk.over(talk.speak(), 1e9)
        assert talk.said()[-1] == SAY.loudest

    def test_stop_stops_in_mid_answer_and_nothing_more_is_said(self, talk):
        talk.utter("Tell me everything")
        talk.decide()
        talk.think("It is long.", done=False)
        number = talk.speak()
        job = talk.last(orders.Think).job
        talk.utter("Stop!", ms=300)
        talk.wait(300)
        assert talk.all(orders.Interrupt)
        assert orders.Cancel(job) in talk.orders
        talk.over(number, 500, interrupted=True)
        talk.take(events.Thought(job, "And there is more."))
        talk.wait(5000)
        assert talk.said() == ["It is long."]
        assert not talk.conversation.busy


class TestOffers:
    def refused(self, talk):
        talk.utter("Who is the president?")
        talk.decide()
        talk.think(SAY.refuse, offer="hand_over")
        return talk.speak()

    def test_yes_after_the_offer_calls_somebody(self, talk):
        talk.over(self.refused(talk), 1e9)
        talk.utter("Yes, please.")
        talk.decide()
        assert talk.last(orders.Perform).action == "hand_over"
        assert talk.said()[-1] == SAY.calling

    def test_yes_into_the_offer_too(self, talk):
        number = self.refused(talk)
        talk.wait(200)
        talk.utter("Yes please.", ms=300)
        talk.wait(300)
        assert talk.last(orders.Perform).action == "hand_over"
        talk.over(number, 500, interrupted=True)

    def test_no_calls_nobody_and_yes_later_means_nothing(self, talk):
        talk.over(self.refused(talk), 1e9)
        talk.utter("No, thanks.")
        talk.decide()
        assert talk.said()[-1] == SAY.all_right
        talk.over(talk.speak(), 1e9)
        talk.utter("Yes.")
        talk.decide()
        assert not talk.all(orders.Perform)

    def test_a_request_for_a_person_needs_no_thinker(self, talk):
        talk.utter("Can I talk to a real person?")
        talk.decide()
        assert talk.last(orders.Perform).action == "hand_over"
        assert not talk.all(orders.Think)


class TestFaults:
    def test_a_thinker_that_hangs_gets_a_filler_and_then_an_apology(self, talk):
        talk.utter("When are you open?")
        talk.wait(60)
        talk.wait(880)
        assert not talk.said()
        talk.wait(20)
        assert talk.said() == [SAY.filler]
        filler = talk.speak()
        talk.over(filler, 1e9)
        talk.wait(1900)
        assert talk.said() == [SAY.filler, SAY.trouble]
        assert orders.Cancel(talk.last(orders.Think).job) in talk.orders
        talk.over(talk.speak(), 1e9)
        assert not talk.conversation.busy

    def test_a_thinker_that_hangs_in_mid_answer_is_excused_soon_after_the_last_word(self, talk):
        talk.utter("Tell me everything")
        talk.decide()
        talk.think("It is long.", done=False)
        talk.speak(ms_each=1000)
        talk.wait(2400)
        assert talk.said() == ["It is long."]
        talk.wait(200)
        assert talk.said() == ["It is long.", SAY.lost]

    def test_a_slow_thinker_is_not_excused_while_there_is_still_something_to_hear(self, talk):
        talk.utter("Tell me everything")
        talk.decide()
        talk.think("It is a very long story.", done=False)
        talk.speak(ms_each=9000)
        talk.wait(8000)
        talk.take(events.Thought(talk.last(orders.Think).job, "And it has an end."))
        assert talk.said()[-1] == "And it has an end."

    def test_a_thinker_that_fails_is_excused_at_once(self, talk):
        talk.utter("When are you open?")
        talk.decide()
        talk.take(events.Failed(talk.last(orders.Think).job, "think", "no route to host"))
        assert talk.said() == [SAY.trouble]

    def test_an_answer_without_a_sentence_is_a_refusal(self, talk):
        talk.utter("When are you open?")
        talk.decide()
        talk.think()
        assert talk.said() == [SAY.refuse]

    def test_a_recogniser_that_hangs_makes_the_kiosk_ask_again_within_three_seconds(self, talk):
        talk.utter("", recognise=False)
        last_ns = talk.now_ns - 300 * MS
        while not talk.said():
            talk.wait(20)
        assert (talk.now_ns - last_ns) / MS < 3000
        assert talk.said() == [SAY.again]

    def test_what_is_not_understood_twice_gets_an_offer(self, talk):
        for expected in (SAY.again, SAY.trouble):
            talk.utter("blorg the fnarg", unclear=True)
            talk.decide()
            assert talk.said()[-1] == expected
            talk.over(talk.speak(), 1e9)
        talk.utter("Yes.")
        talk.decide()
        assert talk.last(orders.Perform).action == "hand_over"

    def test_somebody_who_talks_for_minutes_is_asked_for_one_question(self, talk):
        talk.begin()
        talk.wait(25_100)
        asked = talk.last(orders.Recognise)
        assert (asked.until_ns - asked.from_ns) / MS < 26_000
        talk.recognise("and then my aunt said that the weather was nice")
        assert talk.said() == [SAY.too_long]

    def test_music_is_not_answered(self, talk):
        talk.begin()
        talk.wait(25_100)
        talk.recognise("")
        talk.wait(30_000)
        assert not talk.said()

    def test_what_must_not_be_said_is_declined_without_a_thinker(self):
        talk = Stepped(forbidden=("alarm system",))
        talk.utter("How does your alarm system work?")
        talk.decide()
        assert talk.said() == [SAY.forbidden]
        assert not talk.all(orders.Think)

    def test_a_result_that_comes_too_late_is_ignored(self, talk):
        talk.utter("When are you open?")
        talk.decide()
        job = talk.last(orders.Think).job
        talk.wait(3000)
        said = talk.said()
        talk.take(events.Thought(job, "Until six."))
        talk.wait(1000)
        assert talk.said() == said


def test_another_language_is_answered_in_it():
    talk = Stepped(language="auto")
    talk.utter("Wann haben Sie geöffnet?", language="de")
    assert talk.last(orders.Think).language == "de"
    talk.decide()
    talk.think()
    assert talk.said() == [phrases("de").refuse]
