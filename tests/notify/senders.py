"""Talks to notify_probe, the senders on the command line."""

from json_lines import Program


class Senders(Program):
    def __init__(self, env=None):
        super().__init__("notify", "notify_probe", env=env)

    def webhook(self, url, **question):
        return self.ask(do="webhook", url=url, **question)

    def push(self, endpoint, **question):
        return self.ask(do="push", endpoint=endpoint, **question)

    def mail(self, **question):
        return self.ask(do="mail", **question)

    def resolve(self, name, *answers):
        """Says what looking up `name` gives: one list per look-up, the last one again and again."""
        self.ask(do="resolve", name=name, answers=answers)
