"""Say who may do what: roles, what each grants, and how far down the tree of units a grant reaches."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What a page or an action asks for."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    CASE_READ = "case_read"
    CASE_WORK = "case_work"
    CASE_ASSIGN = "case_assign"
    CASE_APPROVE = "case_approve"
    CASE_REFUSE = "case_refuse"
    CASE_RESTRICTED = "case_restricted"
    UNIT_GROUP = "unit_group"
    CONTACT_REVEAL = "contact_reveal"
    HEALTH_READ = "health_read"
    HEALTH_REPAIR = "health_repair"
    ADMIN = "admin"
    AUDIT_READ = "audit_read"
    ANNOUNCEMENT_READ = "announcement_read"
    ANNOUNCEMENT_WRITE = "announcement_write"
    ANNOUNCEMENT_APPROVE = "announcement_approve"
    DOSSIER_READ = "dossier_read"
    DOSSIER_WORK = "dossier_work"


class Role(StrEnum):
    """What a person is, each bound to a unit and what lies below it."""

    ADMIN = "admin"
    LEADER = "leader"
    UNIT_HEAD = "unit_head"
    OFFICIAL = "official"
    BROADCASTER = "broadcaster"
    APPROVER = "approver"
    INSPECTOR = "inspector"
    AUDITOR = "auditor"


_P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset({_P.HEALTH_READ, _P.HEALTH_REPAIR, _P.ADMIN, _P.AUDIT_READ}),
    Role.LEADER: frozenset(
        {
            _P.CASE_READ,
            _P.CASE_ASSIGN,
            _P.CASE_APPROVE,
            _P.CASE_REFUSE,
            _P.HEALTH_READ,
            _P.CONTACT_REVEAL,
            _P.UNIT_GROUP,
            _P.ANNOUNCEMENT_READ,
            _P.ANNOUNCEMENT_APPROVE,
            _P.DOSSIER_READ,
        }
    ),
    Role.UNIT_HEAD: frozenset(
        {
            _P.CASE_READ,
            _P.CASE_WORK,
            _P.CASE_ASSIGN,
            _P.CASE_APPROVE,
            _P.CASE_REFUSE,
            _P.CONTACT_REVEAL,
            _P.HEALTH_READ,
            _P.UNIT_GROUP,
            _P.DOSSIER_READ,
            _P.DOSSIER_WORK,
        }
    ),
    Role.OFFICIAL: frozenset(
        {_P.CASE_READ, _P.CASE_WORK, _P.CASE_ASSIGN, _P.CONTACT_REVEAL, _P.DOSSIER_READ, _P.DOSSIER_WORK}
    ),
    Role.BROADCASTER: frozenset({_P.ANNOUNCEMENT_READ, _P.ANNOUNCEMENT_WRITE}),
    Role.APPROVER: frozenset({_P.ANNOUNCEMENT_READ, _P.ANNOUNCEMENT_APPROVE}),
    Role.INSPECTOR: frozenset(
        {
            _P.CASE_READ,
            _P.CASE_WORK,
            _P.CASE_ASSIGN,
            _P.CASE_APPROVE,
            _P.CASE_REFUSE,
            _P.CASE_RESTRICTED,
            _P.CONTACT_REVEAL,
        }
    ),
    Role.AUDITOR: frozenset({_P.CASE_READ, _P.HEALTH_READ, _P.AUDIT_READ, _P.ANNOUNCEMENT_READ, _P.DOSSIER_READ}),
}


_ROOT = 2
"""How many slashes the path of a unit without a parent has: /a/."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role held over a unit; `path` is the unit's materialised path such as /a/b/."""

    role: Role
    path: str


@dataclass(frozen=True, slots=True)
class Grants:
    """Everything one person holds."""

    held: tuple[Grant, ...] = ()

    def anywhere(self, permission: Permission) -> bool:
        """Say whether the person holds the permission over at least one unit."""
        if permission in {Permission.PUBLIC, Permission.SIGNED_IN}:
            return True
        return any(permission in GRANTS[grant.role] for grant in self.held)

    def over(self, permission: Permission, path: str) -> bool:
        """Say whether the permission reaches the unit at `path`: the grant's unit or anything below it."""
        return any(permission in GRANTS[grant.role] and path.startswith(grant.path) for grant in self.held)

    def over_all(self, permission: Permission) -> bool:
        """Say whether the permission is held over a unit that stands below no other, as what all share asks for."""
        return any(permission in GRANTS[grant.role] and grant.path.count("/") == _ROOT for grant in self.held)

    def paths(self, permission: Permission) -> tuple[str, ...]:
        """Return the paths below which the permission is held, without those that another one covers."""
        found = {grant.path for grant in self.held if permission in GRANTS[grant.role]}
        return tuple(sorted(p for p in found if not any(p != other and p.startswith(other) for other in found)))

    def sees_restricted(self, path: str) -> bool:
        """Say whether reports about conduct in the unit at `path` may be shown, sender included."""
        return self.over(Permission.CASE_RESTRICTED, path)


def roles_from(pairs: Iterable[tuple[str, str]]) -> Grants:
    """Build Grants from stored (role, unit path) pairs; an unknown role grants nothing."""
    known = {role.value for role in Role}
    return Grants(tuple(Grant(Role(role), path) for role, path in pairs if role in known))
