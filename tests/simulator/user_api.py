"""Endpoints about people and the OA itself: profiles, lists, tags, getoa (api.md section 3.2)."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from . import events
from .errors import ApiError
from .gateway import ApiCall, Route
from .model import STATE, Json, Person, Tie

COUNT_MAX, OFFSET_MAX = 50, 9951
VIETNAM = timezone(timedelta(hours=7))
RANGE = re.compile(r"(\d{4}_\d{2}_\d{2}):(\d{4}_\d{2}_\d{2})")
PERIODS_MS = {"TODAY": 86_400_000, "YESTERDAY": 2 * 86_400_000, "L7D": 7 * 86_400_000, "L30D": 30 * 86_400_000}


def known_person(call: ApiCall, user_id: Any) -> tuple[Person, Tie]:
    """Return who has this id; raises ApiError -201 for a bad id, -213 for nobody or somebody the OA never met."""
    if not isinstance(user_id, str) or not user_id:
        raise ApiError(-201, "user_id")
    world = call.provider.world
    tie = world.ties.get((call.oa.oa_id, user_id))
    if user_id not in world.people or tie is None or not (tie.following or tie.last_interaction_ms):
        raise ApiError(-213)
    return world.people[user_id], tie


async def user_detail(call: ApiCall) -> Json:
    """GET /v3.0/oa/user/detail."""
    person, tie = known_person(call, call.params.get("user_id"))
    avatar = call.provider.media.address("nhan-dan.png")
    last = datetime.fromtimestamp(tie.last_interaction_ms / 1000, VIETNAM) if tie.last_interaction_ms else None
    return {
        "user_id": person.user_id,
        "user_id_by_app": person.user_id_by_app,
        "user_external_id": "",
        "display_name": person.name,
        "user_alias": "",
        "is_sensitive": False,
        "user_last_interaction_date": f"{last:%d/%m/%Y}" if last else "",
        "user_is_follower": tie.following,
        "avatar": avatar,
        "avatars": {"120": avatar, "240": avatar},
        "tags_and_notes_info": {"notes": [], "tag_names": tie.tags},
        "shared_info": tie.shared_info,
    }


async def user_list(call: ApiCall) -> Json:
    """GET /v3.0/oa/user/getlist."""
    offset, count = _window(call.params, COUNT_MAX)
    if offset > OFFSET_MAX:
        raise ApiError(-210, "offset")
    since, until = _period(call)
    ties = [tie for tie in call.provider.world.ties.values() if _wanted(call, tie)]
    found = [tie.user_id for tie in ties if since <= tie.last_interaction_ms < until]
    page = [{"user_id": user_id} for user_id in found[offset : offset + count]]
    return {"total": len(found), "count": len(page), "offset": offset, "users": page}


def _wanted(call: ApiCall, tie: Tie) -> bool:
    params = call.params
    if tie.oa_id != call.oa.oa_id or not (tie.following or tie.last_interaction_ms):
        return False
    if "is_follower" in params and str(params["is_follower"]).lower() != str(tie.following).lower():
        return False
    return not params.get("tag_name") or params["tag_name"] in tie.tags


def _period(call: ApiCall) -> tuple[float, float]:
    """Return from when until when the last interaction is asked for, in ms: a name, or two days of Viet Nam."""
    period = call.params.get("last_interaction_period")
    if period is None:
        return 0, float("inf")
    if period in PERIODS_MS:
        return call.provider.clock.now_ms() - PERIODS_MS[period], float("inf")
    days = RANGE.fullmatch(str(period))
    if days is None:
        raise ApiError(-201, "last_interaction_period")
    first, last = (_midnight(day) for day in days.groups())
    return first.timestamp() * 1000, (last + timedelta(days=1)).timestamp() * 1000


def _midnight(day: str) -> datetime:
    try:
        return datetime.strptime(day, "%Y_%m_%d").replace(tzinfo=VIETNAM)
    except ValueError:
        raise ApiError(-201, "last_interaction_period") from None


def _window(params: Json, most: int) -> tuple[int, int]:
    offset, count = params.get("offset", 0), params.get("count", most)
    if not isinstance(offset, int) or not isinstance(count, int) or offset < 0 or count < 1:
        raise ApiError(-201, "offset or count")
    if count > most:
        raise ApiError(-210, "count")
    return offset, count


async def get_oa(call: ApiCall) -> Json:
    """GET /v2.0/oa/getoa; both spellings of the id, since clients read either (api.md section 7)."""
    oa = call.oa
    ties = [tie for tie in call.provider.world.ties.values() if tie.oa_id == oa.oa_id and tie.following]
    picture = call.provider.media.address("nhan-dan.png")
    return {
        "oaid": oa.oa_id,
        "oa_id": oa.oa_id,
        "name": oa.name,
        "description": "",
        "oa_alias": "",
        "is_verified": True,
        "oa_type": oa.oa_type,
        "cate_name": "Cơ quan nhà nước" if oa.oa_type == STATE else "Doanh nghiệp",
        "num_follower": len(ties),
        "avatar": picture,
        "cover": picture,
        "package_name": "Toàn diện" if oa.rate_limit >= 2000 else "Tăng trưởng",
        "package_valid_through_date": "31/12/2027",
        "package_auto_renew_date": "",
        "linked_zca": "",
    }


async def get_profile(call: ApiCall) -> Json:
    """GET /v2.0/oa/getprofile: ended for business OAs (-240)."""
    if not call.oa.is_state:
        raise ApiError(-240)
    return await user_detail(call)


async def get_followers(call: ApiCall) -> Json:
    """GET /v2.0/oa/getfollowers: ended for business OAs (-240)."""
    if not call.oa.is_state:
        raise ApiError(-240)
    call.params["is_follower"] = True
    listed = await user_list(call)
    return {"total": listed["total"], "followers": listed["users"]}


async def tag_follower(call: ApiCall) -> None:
    """POST /v2.0/oa/tag/tagfollower."""
    person, tie = known_person(call, call.params.get("user_id"))
    name = _tag_name(call)
    if name not in call.oa.tags:
        call.oa.tags.append(name)
    if name not in tie.tags:
        tie.tags.append(name)
        _tell(call, "add_user_to_tag", [person.user_id], name)


async def untag_follower(call: ApiCall) -> None:
    """POST /v2.0/oa/tag/rmfollowerfromtag."""
    person, tie = known_person(call, call.params.get("user_id"))
    name = _tag_name(call)
    if name in tie.tags:
        tie.tags.remove(name)
        _tell(call, "remove_user_from_tag", [person.user_id], name)


async def remove_tag(call: ApiCall) -> None:
    """POST /v2.0/oa/tag/rmtag."""
    name = _tag_name(call)
    if name not in call.oa.tags:
        raise ApiError(-201, "tag_name")
    call.oa.tags.remove(name)
    for tie in call.provider.world.ties.values():
        if tie.oa_id == call.oa.oa_id and name in tie.tags:
            tie.tags.remove(name)
    _tell(call, "remove_tag", [], name)


async def list_tags(call: ApiCall) -> list[str]:
    """GET /v2.0/oa/tag/gettagsofoa."""
    return call.oa.tags


def _tag_name(call: ApiCall) -> str:
    name = call.params.get("tag_name")
    if not isinstance(name, str) or not name:
        raise ApiError(-201, "tag_name")
    return name


def _tell(call: ApiCall, event: str, user_ids: list[str], name: str) -> None:
    call.provider.tell(call.oa, events.tag(call.oa, event, user_ids, name, call.provider.clock.now_ms()))


ROUTES = [
    Route("GET", "/v3.0/oa/user/detail", user_detail, reads_body=False),
    Route("GET", "/v3.0/oa/user/getlist", user_list, reads_body=False),
    Route("GET", "/v2.0/oa/getoa", get_oa, reads_body=False),
    Route("GET", "/v2.0/oa/getprofile", get_profile, reads_body=False),
    Route("GET", "/v2.0/oa/getfollowers", get_followers, reads_body=False),
    Route("POST", "/v2.0/oa/tag/tagfollower", tag_follower),
    Route("POST", "/v2.0/oa/tag/rmfollowerfromtag", untag_follower),
    Route("POST", "/v2.0/oa/tag/rmtag", remove_tag),
    Route("GET", "/v2.0/oa/tag/gettagsofoa", list_tags, reads_body=False),
]
