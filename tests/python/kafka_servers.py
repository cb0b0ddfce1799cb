"""Kafka for tests: a stand-in of confluent-kafka in memory, and a real broker of tools/servers.sh."""

import itertools
import shutil
import socket
import subprocess
import types

import pytest

from aws_servers import SERVERS, Server, free_port

CONFIG = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{other}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{other}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class _Broker(Server):
    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), 1).close()
        except OSError:
            return False
        return True


def broker(folder):
    """A broker in KRaft mode, at `.url` without its scheme's meaning."""
    jars = SERVERS / "kafka" / "lib"
    if not jars.is_dir() or shutil.which("java") is None:
        pytest.skip("no Kafka: tools/servers.sh build/servers all")
    port = free_port()
    config = folder / "server.properties"
    config.write_text(CONFIG.format(port=port, other=free_port(), folder=folder))
    java = ["java", "-Xmx256m", "-cp", f"{jars}/*"]
    form = [*java, "kafka.tools.StorageTool", "format", "-t", "A" * 22, "-c", str(config)]
    subprocess.run(form, check=True, capture_output=True, timeout=60)
    return _Broker([*java, "kafka.Kafka", str(config)], port, 60)


class FakeError:
    def __init__(self, name, text=""):
        self._name, self._text = name, text

    def name(self):
        return self._name

    def str(self):
        return self._text


class FakeException(Exception):  # noqa: N818  as the library names it
    pass


class FakeMessage:
    def __init__(self, partition, offset, value=None, error=None):
        self._all = partition, offset, value, error

    def partition(self):
        return self._all[0]

    def offset(self):
        return self._all[1]

    def value(self):
        return self._all[2]

    def error(self):
        return self._all[3]


class FakeTopic:
    """Partitions as lists of (offset, value, time); `first` is the oldest offset that is kept."""

    def __init__(self, partitions):
        self.partitions = {number: [] for number in range(partitions)}
        self.ends, self.first = dict.fromkeys(self.partitions, 0), dict.fromkeys(self.partitions, 0)
        self.committed = {}

    def put(self, partition, value, time=0.0):
        self.partitions[partition].append((self.ends[partition], value, time))
        self.ends[partition] += 1

    def mark(self, partition):
        """A marker of a transaction: an offset without a message."""
        self.ends[partition] += 1

    def drop(self, partition, before):
        """Retention."""
        self.first[partition] = before
        self.partitions[partition] = [one for one in self.partitions[partition] if one[0] >= before]


class FakeKafka:
    """What io/kafka.py uses of confluent_kafka. `topics`: by name; `closed` counts consumers that were closed."""

    KafkaException = FakeException

    def __init__(self, topics):
        self.topics, self.opened, self.closed, self.down, self.no_commit = topics, [], 0, False, False
        self.TopicPartition = lambda topic, partition, offset=-1001: types.SimpleNamespace(
            topic=topic, partition=partition, offset=offset
        )

    def Consumer(self, config):  # noqa: N802  a class of the library
        self.opened.append(config)
        return FakeConsumer(self)


class FakeConsumer:
    def __init__(self, kafka):
        self._kafka, self._at, self._told = kafka, {}, set()

    def close(self):
        self._kafka.closed += 1

    def list_topics(self, timeout):
        if self._kafka.down:
            raise FakeException(FakeError("_TRANSPORT", "secret broker text"))
        topics = {n: types.SimpleNamespace(partitions=t.partitions, error=None) for n, t in self._kafka.topics.items()}
        return types.SimpleNamespace(topics=topics)

    def get_watermark_offsets(self, at, timeout):
        topic = self._kafka.topics[at.topic]
        return topic.first[at.partition], topic.ends[at.partition]

    def offsets_for_times(self, asked, timeout):
        out = []
        for at in asked:
            later = [o for o, _, t in self._kafka.topics[at.topic].partitions[at.partition] if t * 1000 >= at.offset]
            out.append(self._kafka.TopicPartition(at.topic, at.partition, min(later, default=-1)))
        return out

    def assign(self, places):
        self._at = {(at.topic, at.partition): at.offset for at in places}

    def consume(self, most, timeout):
        out = []
        for (name, partition), at in self._at.items():
            topic = self._kafka.topics[name]
            for offset, value, _ in itertools.islice((m for m in topic.partitions[partition] if m[0] >= at), most):
                out.append(FakeMessage(partition, offset, value))
                self._at[name, partition] = offset + 1
            if (name, partition) not in self._told:
                self._told.add((name, partition))
                out.append(FakeMessage(partition, topic.ends[partition], error=FakeError("_PARTITION_EOF")))
        return out

    def commit(self, offsets, asynchronous):
        if self._kafka.no_commit:
            raise FakeException(FakeError("GROUP_AUTHORIZATION_FAILED", "not allowed"))
        for at in offsets:
            self._kafka.topics[at.topic].committed[at.partition] = at.offset
