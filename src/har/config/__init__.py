"""Settings of every stage, with their bounds: the only home of defaults.

Each stage has one frozen dataclass. Values are checked when it is made, so that a wrong setting is
refused before any work starts. `load_config` reads a TOML file whose tables are the stages' names.
"""

from har.config.agreement import AgreeConfig as AgreeConfig
from har.config.bounds import Mistakes as Mistakes
from har.config.capture import CaptureConfig as CaptureConfig
from har.config.capture import Posture as Posture
from har.config.decode import BACKGROUND_NAMES as BACKGROUND_NAMES
from har.config.decode import TAIL_S as TAIL_S
from har.config.decode import DecodeConfig as DecodeConfig
from har.config.decode import LabelRule as LabelRule
from har.config.decode import change_rules as change_rules
from har.config.decode import find_background as find_background
from har.config.engine import ENGINE as ENGINE
from har.config.engine import PRECISION as PRECISION
from har.config.engine import Engine as Engine
from har.config.engine import Precision as Precision
from har.config.export import ExportConfig as ExportConfig
from har.config.export import ExportFormat as ExportFormat
from har.config.fit import FitConfig as FitConfig
from har.config.listeners import FrigateConfig as FrigateConfig
from har.config.listeners import MqttConfig as MqttConfig
from har.config.live import AlertRule as AlertRule
from har.config.live import AlertsConfig as AlertsConfig
from har.config.live import ClipsConfig as ClipsConfig
from har.config.live import MetricsConfig as MetricsConfig
from har.config.live import NotifyConfig as NotifyConfig
from har.config.live import QuietHours as QuietHours
from har.config.live import RetentionConfig as RetentionConfig
from har.config.live import WatchConfig as WatchConfig
from har.config.live import WatchSettings as WatchSettings
from har.config.loading import load_config as load_config
from har.config.loading import read_config as read_config
from har.config.loading import update_config as update_config
from har.config.pose import SINGLE_PERSON_LABELS as SINGLE_PERSON_LABELS
from har.config.pose import PoseConfig as PoseConfig
from har.config.poses import PosesConfig as PosesConfig
from har.config.predict import OutputsConfig as OutputsConfig
from har.config.predict import PredictConfig as PredictConfig
from har.config.prepare import PrepareConfig as PrepareConfig
from har.config.privacy import Faces as Faces
from har.config.privacy import PrivacyConfig as PrivacyConfig
from har.config.privacy import ShownPeople as ShownPeople
from har.config.privacy import Uncertain as Uncertain
from har.config.scale import FetchConfig as FetchConfig
from har.config.scale import ScaleConfig as ScaleConfig
from har.config.serve import ServeConfig as ServeConfig
from har.config.synthetic import SynthConfig as SynthConfig
from har.config.train import MOTION_LAGS_S as MOTION_LAGS_S
from har.config.train import RECIPES as RECIPES
from har.config.train import STRIDE_PX as STRIDE_PX
from har.config.train import AugmentConfig as AugmentConfig
from har.config.train import CnnConfig as CnnConfig
from har.config.train import CrossvalConfig as CrossvalConfig
from har.config.train import InputConfig as InputConfig
from har.config.train import SystemConfig as SystemConfig
from har.config.train import TemporalConfig as TemporalConfig
from har.config.train import TrainConfig as TrainConfig
from har.config.train import compute_cnn_size as compute_cnn_size
from har.config.tuning import TuneConfig as TuneConfig
from har.config.video import FPS_BOUNDS as FPS_BOUNDS
from har.config.video import GAP_S as GAP_S
from har.config.video import LONGEST_INTERVAL_S as LONGEST_INTERVAL_S
from har.config.video import MAX_PICTURE_PIXELS as MAX_PICTURE_PIXELS
from har.config.video import RARE_TIMES as RARE_TIMES
