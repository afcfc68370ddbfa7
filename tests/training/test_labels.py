"""Labels of one's own takes."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.offline import Mesh
from livefacs.training.labels import labelled_subject, read_labels
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.au import faces


def _write(tmp_path, text):
    path = tmp_path / "take.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _value(truth, channel):
    return float(truth[CHANNEL_INDEX[channel]])


def test_openface_columns(tmp_path):
    text = "frame, AU12_r, AU01_r, AU12_c\n3, 2.5, 0, 1\n"
    labels = read_labels(_write(tmp_path, text))
    assert list(labels) == [3]
    assert _value(labels[3], "AU12_L") == _value(labels[3], "AU12_R") == 0.5
    assert _value(labels[3], "AU1_L") == 0.0
    assert np.isnan(_value(labels[3], "AU4_L"))


def test_own_columns_sides_go_before_the_mean(tmp_path):
    labels = read_labels(_write(tmp_path, "frame,AU12,AU12_L,AU17\n0,0.5,0.9,\n"))
    assert _value(labels[0], "AU12_L") == pytest.approx(0.9)
    assert _value(labels[0], "AU12_R") == 0.5
    assert np.isnan(_value(labels[0], "AU17"))


def test_coded_frames_count_what_they_do_not_name_as_absent(tmp_path):
    labels = read_labels(_write(tmp_path, "frame,codes\n7,1C+R12B+30\n9,\n"))
    assert list(labels) == [7]
    assert _value(labels[7], "AU1_L") == pytest.approx(0.45)
    assert _value(labels[7], "AU12_R") == pytest.approx(0.225)
    assert _value(labels[7], "AU12_L") == 0.0
    assert _value(labels[7], "AU26") == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frame,AU12_r\n0,7\n", "expected 0 to 5"),
        ("frame,AU12\n0,7\n", "expected 0 to 1"),
        ("frame,AU12\n0,x\n", "row 2"),
        ("frame,codes\n0,12Z\n", "12Z"),
        ("frame,smile\n0,1\n", "name no action"),
        ("", "expected a header line"),
    ],
)
def test_errors(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        read_labels(_write(tmp_path, text))


def test_a_take_without_a_labelled_face(tmp_path):
    labels = read_labels(_write(tmp_path, "frame,AU12\n5,1\n"))
    meshes = [Mesh(0, 0, faces.landmarks(faces.face())), Mesh(5, 10, None)]
    with pytest.raises(ConfigError, match="no labelled frame shows a face"):
        labelled_subject("take", meshes, labels)


def test_a_labelled_take_is_a_subject(tmp_path):
    labels = read_labels(_write(tmp_path, "frame,AU12\n1,1\n"))
    meshes = [Mesh(i, i * 10**7, faces.landmarks(faces.face(), i)) for i in range(20)]
    subject = labelled_subject("take", meshes, labels)
    (sequence,) = subject.sequences
    assert sequence.truth[1, CHANNEL_INDEX["AU12_L"]] == 1.0
    assert np.isnan(sequence.truth[0]).all()
    assert len(subject.sha256) == 64
