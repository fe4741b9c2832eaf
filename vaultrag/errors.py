"""Every error that VaultRAG raises on purpose.

    VaultragError (exit 1, HTTP 500)
    ├── UsageError            exit 2,  400   a command or a request that makes no sense
    ├── ConfigError           exit 3,  500   a setting is unknown, has a wrong type or contradicts another
    ├── VaultError            exit 4,  503   the vault is missing, unreadable, or not where the settings say
    ├── StoreError            exit 5,  500   the index could not be read or written
    │   ├── IndexLocked       exit 6,  409   another process owns the index
    │   ├── IndexTooNew       exit 7,  500   written by a newer VaultRAG
    │   ├── IndexDamaged      exit 8,  503   a file of the index is not what was written
    │   ├── IndexMissing      exit 9,  409   nothing has been indexed yet
    │   └── DiskFull          exit 10, 507   no space left where the index lies
    ├── ModelError            exit 11, 500   a model could not do its work
    │   ├── ModelNotFound     exit 12, 503   the model's file is not here
    │   ├── DoesNotFit        exit 13, 503   model and context exceed the machine's memory
    │   ├── GenerationFailed  exit 14, 500   the model refused or lost the prompt
    │   ├── ModelCrashed      exit 15, 503   the model's process died or hung
    │   ├── DownloadFailed    exit 16, 502   a model file could not be fetched or did not match its checksum
    │   └── RemoteFailed      exit 20, 502   the model server that the settings name could not be reached or refused
    ├── ExportUnusable        exit 21, 400   an exported file is damaged, no such file, or from a newer version
    ├── ReportFailed          exit 23, 409   no folder is named for notes of ours, or none can be written there
    ├── JobStopped            exit 24, 409   a job that was waited for was cancelled, or its budget is spent
    ├── ScheduleFailed        exit 25, 500   nothing on this system begins the night by itself, or it refused
    ├── NightNotRun           exit 26, 409   the night did not begin: the machine runs on its battery
    └── ServerError           exit 17, 500   the local server could not start or be reached
        ├── ServerBusy        exit 22, 503   its process lives and does not answer yet
        ├── PortTaken         exit 18, 500   something else listens on the port
        └── TokenUnreadable   exit 19, 401   the token file is missing, unreadable or stale

Each instance carries one sentence (what happened) and a remedy (what to do), both for the user's eyes.
"The vault does not say" is an answer, never an error.
"""

from __future__ import annotations

import errno


class VaultragError(Exception):
    exit_code = 1
    http_status = 500

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    @property
    def kind(self) -> str:
        return type(self).__name__


class UsageError(VaultragError):
    exit_code = 2
    http_status = 400


class ConfigError(VaultragError):
    exit_code = 3


class VaultError(VaultragError):
    exit_code = 4
    http_status = 503


class StoreError(VaultragError):
    exit_code = 5


class IndexLocked(StoreError):
    exit_code = 6
    http_status = 409


class IndexTooNew(StoreError):
    exit_code = 7


class IndexDamaged(StoreError):
    exit_code = 8
    http_status = 503


class IndexMissing(StoreError):
    exit_code = 9
    http_status = 409


class DiskFull(StoreError):
    exit_code = 10
    http_status = 507


class ModelError(VaultragError):
    exit_code = 11


class ModelNotFound(ModelError):
    exit_code = 12
    http_status = 503


class DoesNotFit(ModelError):
    exit_code = 13
    http_status = 503


class GenerationFailed(ModelError):
    exit_code = 14


class ModelCrashed(ModelError):
    exit_code = 15
    http_status = 503


class DownloadFailed(ModelError):
    exit_code = 16
    http_status = 502


class RemoteFailed(ModelError):
    exit_code = 20
    http_status = 502


class ExportUnusable(VaultragError):
    exit_code = 21
    http_status = 400


class ReportFailed(VaultragError):
    exit_code = 23
    http_status = 409


class JobStopped(VaultragError):
    exit_code = 24
    http_status = 409


class ScheduleFailed(VaultragError):
    exit_code = 25


class NightNotRun(VaultragError):
    exit_code = 26
    http_status = 409


class ServerError(VaultragError):
    exit_code = 17


class ServerBusy(ServerError):
    """Its process lives and does not answer: it, or the machine, is busy."""

    exit_code = 22
    http_status = 503


class PortTaken(ServerError):
    exit_code = 18


class TokenUnreadable(ServerError):
    exit_code = 19
    http_status = 401


def is_disk_full(error: OSError) -> bool:
    """Tell whether the system says that no space is left, or no quota."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
