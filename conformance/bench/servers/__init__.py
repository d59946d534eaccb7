"""The servers that are measured: one file each, with its configuration and how to ask for its version."""

from servers.apache import Apache
from servers.cellgate import Cellgate
from servers.dufs import Dufs
from servers.nginx import Nginx
from servers.rclone import RcloneS3, RcloneWebdav
from servers.s3s_fs import S3sFs
from servers.versitygw import Versitygw

PEERS = (Nginx, Apache, Dufs, RcloneWebdav, RcloneS3, Versitygw, S3sFs)

__all__ = ["Cellgate", "PEERS"]
