"""Playing: games, gestures and friendly contact, the near misses that outnumber the hits."""

from __future__ import annotations

from har.synthetic.acts import friendly, games, gestures
from har.synthetic.acts.strokes import Style

PLAYING = (
    Style("wave", gestures.wave, rarity=0.1),
    Style("clap", gestures.clap, rarity=0.1),
    Style("dance", gestures.dance),
    Style("idle", gestures.idle),
    Style("bounce_ball", games.bounce_ball, need="standing"),
    Style("jump", gestures.jump, need="standing"),
    Style("high_five", friendly.high_five, need="partner", rarity=0.2),
    Style("hug", friendly.hug, need="standing pair", rarity=0.1),
    Style("pass_ball", games.pass_ball, need="partner", rarity=0.15),
    Style("toss_ball", games.toss_ball, rarity=0.15),
    Style("shake_hands", friendly.shake_hands, need="partner", rarity=0.3),
    Style("tickle", friendly.tickle, need="partner", rarity=0.5),
    Style("pat", friendly.pat, need="partner", rarity=0.5),
    Style("tussle", friendly.tussle, need="partner", rarity=0.4),
    Style("chase", friendly.chase, need="standing pair", rarity=0.25),
    Style("scratch_head", gestures.go_to_head("crown", 0.018, 4.0), rarity=0.4),
    Style("scratch_ear", gestures.go_to_head("ear", 0.015, 4.0), rarity=0.4),
    Style("shade_eyes", gestures.go_to_head("forehead", 0.0, 1.0, 0.03), rarity=0.45),
    Style("stroke_hair", gestures.stroke_hair, rarity=0.45),
    Style("wipe_face", gestures.wipe_face, rarity=0.45),
    Style("cover_face", gestures.cover_face, rarity=0.45),
    Style("swat_fly", gestures.swat, rarity=0.6),
    Style("eat", gestures.eat, rarity=0.35),
    Style("phone", gestures.phone, rarity=0.35),
    Style("point", gestures.point, rarity=0.25),
    Style("stretch", gestures.stretch, rarity=0.2),
    Style("rub_belly", gestures.rub_belly, rarity=0.4),
    Style("rock", gestures.rock, rarity=0.4),
    Style("swing_stick", games.swing_stick, need="stick"),
    Style("use_table", games.use_station, need="table"),
    Style("use_wall", games.use_station, need="wall"),
)
