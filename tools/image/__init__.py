"""The container image of the service, made without a registry, a daemon or root.

    python3 -m tools.image build BINARY FOLDER    an OCI image layout in FOLDER, which `skopeo copy` sends anywhere
    python3 -m tools.image root BINARY FOLDER     only its files, as `Dockerfile` wants them

The image holds the binary, the libraries it needs, time zones and the certificates of Debian's authorities: no shell, no
package manager. All of it is of the Debian packages of this machine, so the same packages and the same binary give the
same digest.
"""
