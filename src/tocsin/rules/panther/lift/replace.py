"""Put one value in place of another."""

from tocsin.rules.panther.lift.nodes import App, Get, Node, Seq, Truth, app, get, raw_truth, seq


def replaced(node: Node, old: Get, new: Get) -> Node:
    """Return a value that reads `new` where `node` reads `old`, also for what is below."""
    if isinstance(node, Get):
        if node.base != old.base:
            return node
        return get(new.base, (*new.path, *node.path[len(old.path) :]))
    if isinstance(node, App):
        return app(node.name, *(replaced(one, old, new) for one in node.args))
    if isinstance(node, Truth):
        return raw_truth(replaced(node.of, old, new))
    if isinstance(node, Seq):
        return seq(node.type, tuple(replaced(one, old, new) for one in node.items))
    return node
