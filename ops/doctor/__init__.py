"""Finds the likely mistakes of a new set-up and says how to mend them: `hfts doctor`.

``facts`` gathers what is the case, each step bounded in time, ``checks`` judges it. A judgement is a pure function.
"""
