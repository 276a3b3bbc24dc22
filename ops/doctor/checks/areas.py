"""All checks, in the order in which to mend what they find: what stands first may be why the rest is wrong."""

from ops.doctor.checks import kafka, ledger, machine, mail, postgres, progress, rights, settings, topics

AREAS = (
    settings.AREA,
    machine.AREA,
    postgres.AREA,
    ledger.AREA,
    kafka.AREA,
    rights.AREA,
    topics.AREA,
    mail.AREA,
    progress.AREA,
)
