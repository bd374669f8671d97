"""A private certificate authority for one Dask cluster, and its machines' common certificate."""

from datetime import datetime, timedelta
from pathlib import Path

from engagement.foundation.errors import UsageError
from engagement.foundation.files import make_directory, open_bytes_for_writing

CA, CERTIFICATE, KEY = "ca.pem", "cluster.pem", "cluster-key.pem"
_VALID = timedelta(days=3 * 365)


def make_certificates(folder: Path, now: datetime) -> datetime:
    """Write the CA's certificate, and a certificate of it with its key; return until when they are valid.

    The CA's own key is not kept: nobody can make another certificate that the cluster accepts.
    """
    # Half a second to import, for one command.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, until = name("engagement cluster CA"), now + _VALID

    def certify(subject: x509.Name, public_key: ec.EllipticCurvePublicKey, is_ca: bool) -> bytes:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(public_key)
        # Clocks of machines differ.
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        builder = builder.not_valid_after(until).add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        usage = x509.KeyUsage(not is_ca, False, False, False, False, is_ca, is_ca, False, False)
        builder = builder.add_extension(issuer, critical=False).add_extension(usage, critical=True)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    contents = {
        CA: certify(ca_name, ca_key.public_key(), is_ca=True),
        CERTIFICATE: certify(name("engagement cluster"), key.public_key(), is_ca=False),
        KEY: key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain),
    }
    make_directory(folder)
    for file_name, content in contents.items():
        with open_bytes_for_writing(folder / file_name) as file:
            file.write(content)
        (folder / file_name).chmod(0o600)
    return until


def use_certificates(ca: Path, certificate: Path, key: Path) -> None:
    """Connect to clusters with these files, and with encryption only.

    Raises
    ------
    UsageError
        One of them does not exist.
    """
    missing = [str(path) for path in (ca, certificate, key) if not path.is_file()]
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: no such file; expected the cluster's certificates. Make them with 'engagement "
            "cluster-certificates', and copy them to each machine."
        )
    # An optional dependency.
    import dask

    tls = "distributed.comm.tls"
    dask.config.set(
        {
            "distributed.comm.require-encryption": True,
            f"{tls}.ca-file": str(ca),
            f"{tls}.client.cert": str(certificate),
            f"{tls}.client.key": str(key),
        }
    )
