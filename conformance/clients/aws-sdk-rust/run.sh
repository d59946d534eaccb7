#!/bin/sh
exec cellgate-aws-sdk-rust
