from counterpulse import data as data
from counterpulse import describe as describe
from counterpulse import emulation as emulation
from counterpulse import errors as errors
from counterpulse import expression as expression
from counterpulse import imputation as imputation
from counterpulse import propensity as propensity
from counterpulse import regression as regression
from counterpulse import results as results
from counterpulse import robustness as robustness
from counterpulse import survival as survival
from counterpulse import synthesis as synthesis
from counterpulse import two_groups as two_groups
from counterpulse.data import read_dictionary as read_dictionary
from counterpulse.data import read_table as read_table
from counterpulse.protocol import read_protocol as read_protocol
from counterpulse.report.publishing import publish
from counterpulse.study.mock.mock import mock_table as mock_table
from counterpulse.study.planning.plan import make_plan
from counterpulse.study.run import run as run

__version__: str
plan = make_plan
report = publish
