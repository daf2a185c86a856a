#!/bin/sh
touch ckconv-was-here
