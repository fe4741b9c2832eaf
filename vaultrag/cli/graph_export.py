"""The graph of a vault as GraphML, for Gephi and yEd, and as Mermaid, for a note."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from vaultrag.cli.terminal import one_line
from vaultrag.wire.notes import Graph

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_KEYS = (("title", "node", "string"), ("kind", "node", "string"), ("link", "edge", "string"), ("weight", "edge", "int"))
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # no escape exists for these
_MERMAID_SIGNS = re.compile(r"[#\"<>&`;\\\[\]{}()|]")
_SHAPES = {"note": ('["', '"]'), "file": ('[/"', '"/]'), "missing": ('(["', '"])')}
_GUESSES = ("alias", "mention")


def graphml(graph: Graph) -> str:
    """Return a GraphML document: directed, node ids are paths."""
    root = ET.Element("graphml", xmlns=_NAMESPACE)
    for name, part, kind in _KEYS:
        ET.SubElement(root, "key", {"id": name, "for": part, "attr.name": name, "attr.type": kind})
    drawn = ET.SubElement(root, "graph", id="vault", edgedefault="directed")
    for node in graph.nodes:
        element = ET.SubElement(drawn, "node", id=_xml(node.id))
        _data(element, "title", node.title)
        _data(element, "kind", node.kind)
    for edge in graph.edges:
        element = ET.SubElement(drawn, "edge", source=_xml(edge.source), target=_xml(edge.target))
        _data(element, "link", edge.kind)
        _data(element, "weight", str(edge.weight))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def mermaid(graph: Graph) -> str:
    """Return a Mermaid flowchart: guesses dotted, links that lead nowhere round."""
    numbers = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        opening, closing = _SHAPES[node.kind]
        lines.append(f"  {numbers[node.id]}{opening}{_label(node.title)}{closing}")
    guesses = {(edge.source, edge.target) for edge in graph.edges if edge.kind in _GUESSES}
    links = {(edge.source, edge.target) for edge in graph.edges if edge.kind not in _GUESSES}
    lines += [
        f"  {numbers[source]} {'-->' if (source, target) in links else '-.->'} {numbers[target]}"
        for source, target in sorted(links | guesses)
    ]
    return "\n".join(lines)


def _label(text: str) -> str:
    """Escape by Mermaid's own character codes; an empty label would be a syntax error."""
    return _MERMAID_SIGNS.sub(lambda match: f"#{ord(match.group())};", one_line(text)) or " "


def _data(element: ET.Element, key: str, value: str) -> None:
    ET.SubElement(element, "data", key=key).text = _xml(value)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
