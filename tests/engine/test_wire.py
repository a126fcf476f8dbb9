"""Frames on a pipe whose other end ran somebody's model: only ProtocolError may come out of anything."""

from __future__ import annotations

import socket
import threading
import typing
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import looking, messages
from engine.candidates import Candidate, Fit, best_first, short_spec
from engine.capabilities import Facts, Gpu
from engine.failures import unspeakable, worded
from engine.job import Configuration, InputSpec, ModelSource
from engine.search.hashes import IndexedModel
from engine.search.index_file import LibraryIndex, look_up
from engine.wire import MAX_FRAME_BYTES, FrameReader, ProtocolError, frame, receive_command
from engine.words import table

SOURCE = ModelSource("/m.pth", "state-dict")

counts = st.integers(0, 2**63 - 1)
maybe = st.none() | counts
packed = st.binary(max_size=800)
texts = st.text(max_size=60)
odd = st.sampled_from([msgspec.msgpack.Ext(5, b"x"), datetime(2026, 1, 1, tzinfo=UTC), float("nan"), {1: 2}, {(1, 2): 3}])
plain = st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts | st.binary(max_size=8),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6)
values = st.dictionaries(texts, plain, max_size=4)
notes = st.lists(st.tuples(texts, values), max_size=2).map(tuple)
few = st.lists(texts, max_size=2).map(tuple)
sizes = st.lists(st.just("B") | st.integers(-2, 2**40) | texts, max_size=3).map(tuple)
tensors = st.builds(
    InputSpec, name=st.none() | texts, dtype=texts, shape=sizes, range=st.none() | st.tuples(counts, counts), scalar=st.none() | st.booleans() | counts | st.floats(allow_nan=False),
    data_path=st.none() | texts, source=st.sampled_from(["declared", "guessed", "given", "file"]), memory_format=st.sampled_from(["", "channels_last"]), ran=st.booleans(),
)
specs = st.recursive(tensors, lambda inner: st.builds(
    InputSpec, name=st.none() | texts, container=st.sampled_from(["tuple", "list", "dict"]), parts=st.lists(inner, max_size=3).map(tuple), ran=st.booleans()), max_leaves=4)
fits = st.builds(Fit, matching=counts, keys=counts, prefix=texts, missing=few, unexpected=few, differing=few, missing_count=counts, unexpected_count=counts, differing_count=counts)
found = st.builds(
    Candidate, spec=texts, origin=st.sampled_from(["remembered", "file", "config", "torchvision", "timm", "transformers"]), score=st.floats(allow_nan=False), fit=st.none() | fits, needs=few)
examined = st.builds(
    messages.Examined, inputs=st.lists(specs, max_size=2).map(tuple), outputs=st.none() | texts, load_ns=counts, reading_ns=maybe, moving_ns=maybe, load_peak_bytes=maybe,
    parameters=maybe, buffers=maybe, weights_bytes=maybe, architecture=st.none() | texts, fit=st.none() | fits, notes=notes, refused=st.none() | st.tuples(texts, texts, values),
    first_layer=st.none() | st.tuples(texts, values), least_batch=maybe,
)
by_kind = {
    messages.Loaded: st.builds(messages.Loaded, counts, maybe, maybe, maybe, st.none() | texts, maybe, maybe, maybe, maybe),
    messages.Prepared: st.builds(messages.Prepared, counts, maybe, maybe, notes),
    messages.FirstCalled: st.builds(messages.FirstCalled, counts, texts),
    messages.BlockDone: st.builds(messages.BlockDone, counts, packed, packed, counts, counts, st.none() | packed, st.none() | packed, maybe, maybe),
    messages.ContextMade: st.builds(messages.ContextMade, maybe, maybe),
    messages.PeaksReset: st.builds(messages.PeaksReset, maybe, maybe, maybe),
    messages.MemoryRead: st.builds(messages.MemoryRead, maybe, maybe, maybe),
    messages.CopiesMeasured: st.builds(messages.CopiesMeasured, packed, packed, counts, counts),
    messages.BusyMeasured: st.builds(messages.BusyMeasured, packed),
    messages.Failed: st.builds(messages.Failed, texts, texts, values, texts, st.booleans()),
    messages.Facted: st.builds(lambda name, memory: messages.Facted(Facts(torch=name, gpus=(Gpu(0, name, memory, (9, 0)),))), texts, counts),
    messages.Examined: examined,
    messages.ClassesFound: st.builds(messages.ClassesFound, st.lists(found, max_size=2).map(tuple), notes),
    messages.LibrariesIndexed: st.builds(
        messages.LibrariesIndexed, texts, st.none() | texts, st.lists(st.builds(IndexedModel, texts, packed, packed), max_size=2).map(tuple), counts, counts),
}
answers = st.one_of(*by_kind.values())


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces, cut at these places."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def test_no_kind_of_answer_is_left_out():
    assert set(by_kind) == set(typing.get_args(messages.Answer))


@settings(max_examples=300, deadline=None)
@given(st.lists(answers, max_size=5), st.lists(st.integers(0, 10_000), max_size=12))
def test_messages_survive_any_cutting(sent, places):
    reader = FrameReader()
    received = []
    for piece in cut(b"".join(frame(message) for message in sent), places):
        received += reader.feed(piece)
    assert received == sent
    assert not reader.holds_partial


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=6))
def test_only_a_protocol_error_escapes_from_any_bytes(data, places):
    reader, clock = FrameReader(), Clock()
    reader._clock = clock
    try:
        for piece in cut(data, places):
            assert all(isinstance(answer, messages.Message) for answer in reader.feed(piece))
            clock.now_s += 1.0
            reader.check_stalled()
    except ProtocolError as error:
        assert str(error)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=120) | st.builds(lambda message, place, byte: damage(msgspec.msgpack.encode(message), place, byte), answers, st.integers(0, 2000), st.integers(0, 255)))
def test_only_a_protocol_error_escapes_from_a_frame_of_anything(body):
    """The header is right, the message is damaged: what is still a message can be worded, too."""
    try:
        found = FrameReader().feed(len(body).to_bytes(4, "big") + body)
    except ProtocolError:
        return
    for answer in found:
        assert unspeakable(answer) is None or isinstance(answer, messages.Prepared)
        msgspec.json.encode(taken(answer))


def taken(answer):
    """What the engine makes of an answer, whatever stands in it."""
    if isinstance(answer, messages.Failed):
        return worded(answer, "")
    if isinstance(answer, messages.Examined):
        return looking._examined(SOURCE, (), answer)
    if isinstance(answer, messages.ClassesFound):
        return looking._reasons(answer.notes), best_first(answer.candidates), [(each.perfect, short_spec(each.spec)) for each in answer.candidates]
    if isinstance(answer, messages.LibrariesIndexed):
        index = LibraryIndex(library=answer.library, version="1").with_models(answer.models, answer.next, answer.total)
        return [match.score for match in look_up(index, [("a", (1,))])]
    return None


said = st.sampled_from(sorted(table()))
weird = st.fixed_dictionaries({}, optional=dict.fromkeys(("spec", "error", "layer", "channels", "least", "seconds", "batch", "held", "file", "proposed", "arguments"), plain | odd))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(said, weird), max_size=3).map(tuple), st.tuples(said, said, weird), st.tuples(said, weird))
def test_sentences_of_ours_with_any_values_are_taken_in(noted, refused, first_layer):
    """Notes, a refusal and a first layer that name our own sentences, but not with the values that these have."""
    answer = messages.Examined(inputs=(), outputs=None, load_ns=1, reading_ns=None, moving_ns=None, load_peak_bytes=None, parameters=None, buffers=None, weights_bytes=None,
                               architecture=None, notes=noted, refused=refused, first_layer=first_layer)
    (answer,) = FrameReader().feed(frame(answer))
    examined = taken(answer)
    assert examined.failure.summary
    assert all(reason.sentence for reason in examined.notes)
    msgspec.json.encode(examined)
    msgspec.json.encode(taken(messages.ClassesFound((), noted)))


def damage(data: bytes, place: int, byte: int) -> bytes:
    place %= len(data)
    return data[:place] + bytes([byte]) + data[place + 1 :]


def test_nested_without_end():
    body = b"\x91" * 200_000
    with pytest.raises(ProtocolError):
        FrameReader().feed(len(body).to_bytes(4, "big") + body)


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1])
def test_no_length_above_the_limit_is_believed(length):
    reader = FrameReader()
    with pytest.raises(ProtocolError, match=str(length)):
        reader.feed(length.to_bytes(4, "big"))


def test_a_command_is_no_answer():
    with pytest.raises(ProtocolError):
        FrameReader().feed(frame(messages.Probe()))


def test_unknown_fields_are_refused():
    body = msgspec.msgpack.encode({"type": "PeaksReset", "more": 1})
    with pytest.raises(ProtocolError):
        FrameReader().feed(len(body).to_bytes(4, "big") + body)


def test_an_empty_message_is_none():
    with pytest.raises(ProtocolError):
        FrameReader().feed(bytes(4))


def test_a_message_too_large_is_not_sent():
    with pytest.raises(ProtocolError, match="too large"):
        frame(messages.FirstCalled(0, "x" * (MAX_FRAME_BYTES + 1)))


def test_half_a_message_stalls_after_two_seconds_from_its_first_byte():
    clock = Clock()         # it stands at 0, which is a time like any other
    reader = FrameReader(clock)
    whole = frame(messages.FirstCalled(1, "x" * 100))
    reader.feed(whole[:1])
    for byte in whole[1:40]:
        clock.now_s += 0.05         # it trickles: that does not give it more time
        reader.feed(bytes([byte]))
    reader.check_stalled()
    clock.now_s = 2.01
    with pytest.raises(ProtocolError, match="40 bytes"):
        reader.check_stalled()


def test_the_time_of_a_message_begins_with_its_own_first_byte():
    clock = Clock()
    reader = FrameReader(clock)
    one = frame(messages.PeaksReset())
    reader.feed(one[:3])
    clock.now_s = 1.9
    assert len(reader.feed(one[3:] + one[:2])) == 1
    clock.now_s = 3.8
    reader.check_stalled()
    assert len(reader.feed(one[2:])) == 1
    clock.now_s = 100.0
    reader.check_stalled()


def test_commands_reach_the_worker_in_pieces_and_end_with_the_engine():
    ours, theirs = socket.socketpair()
    command = messages.Load(ModelSource("/m.pth", "state-dict"), Configuration(), (InputSpec(shape=("B", 3)),), 7)
    data = frame(command) * 2

    def send():
        for place in range(0, len(data), 7):
            ours.send(data[place : place + 7])
        ours.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    assert [receive_command(theirs) for _ in range(3)] == [command, command, None]
    sender.join()
    ours.close()
    theirs.close()


def test_the_engine_gone_in_the_middle_of_a_command_is_the_end():
    ours, theirs = socket.socketpair()
    ours.send(frame(messages.Prepare())[:-2])
    ours.close()
    assert receive_command(theirs) is None
    theirs.close()


# -- what answers say ----------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["out-of-memory", "load-failed", "timeout", "forward-raised", "engine-lost", "nonsense"]),
       st.sampled_from(["out-of-memory", "timeout", "class-mismatch", "forward-raised", "interpreter-lacks", "nonsense", ""]), values | st.just({"seconds": [1], "phase": 2}))
def test_any_failure_a_worker_tells_can_be_worded_and_saved(code, say, given):
    failure = worded(messages.Failed(code, say, given, "trace"), "log")
    assert failure.summary
    assert failure.code in ("protocol-error", code)
    assert failure.code != "nonsense"
    msgspec.json.encode(failure)


def test_a_worker_that_names_a_sentence_of_ours_gets_it():
    failure = worded(messages.Failed("load-failed", "class-not-found", {"where": "a.py", "name": "Net"}, "trace"), "log")
    assert (failure.code, failure.summary, failure.details) == ("load-failed", "a.py defines no Net.", {"traceback": "trace", "log": "log"})


@pytest.mark.parametrize(("note", "fault"), [
    (("swapped", {"quantization": "int8", "swapped": 1, "of": 2, "engine": "x86"}), False), (("nonsense", {}), True), (("swapped", {}), True), (("provider", {"provider": [1]}), True),
])
def test_notes_that_are_none_of_ours_are_known(note, fault):
    assert (unspeakable(messages.Prepared(1, None, None, (note,))) is not None) == fault
