"""The stubs of all services of the contract, on one channel."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import grpc

from pdp.v1.approval_pb2_grpc import ApprovalServiceStub
from pdp.v1.audit_pb2_grpc import AuditServiceStub
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
from pdp.v1.info_pb2_grpc import InfoServiceStub
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from pdp.v1.mask_job_pb2_grpc import MaskJobServiceStub
from pdp.v1.mask_pb2_grpc import MaskServiceStub
from pdp.v1.person_pb2_grpc import PersonServiceStub
from pdp.v1.review_pb2_grpc import ReviewServiceStub

if TYPE_CHECKING:  # names of the type stubs alone
    from pdp.v1.approval_pb2_grpc import ApprovalServiceAsyncStub
    from pdp.v1.audit_pb2_grpc import AuditServiceAsyncStub
    from pdp.v1.decision_pb2_grpc import DecisionServiceAsyncStub
    from pdp.v1.info_pb2_grpc import InfoServiceAsyncStub
    from pdp.v1.lineage_pb2_grpc import LineageServiceAsyncStub
    from pdp.v1.mask_job_pb2_grpc import MaskJobServiceAsyncStub
    from pdp.v1.mask_pb2_grpc import MaskServiceAsyncStub
    from pdp.v1.person_pb2_grpc import PersonServiceAsyncStub
    from pdp.v1.review_pb2_grpc import ReviewServiceAsyncStub


class Services(ABC):
    """What has a channel, and so a stub of each service."""

    @property
    @abstractmethod
    def channel(self) -> grpc.aio.Channel:
        """The channel."""

    @property
    def decisions(self) -> "DecisionServiceAsyncStub":
        """The stub of DecisionService."""
        return DecisionServiceStub(self.channel)

    @property
    def approvals(self) -> "ApprovalServiceAsyncStub":
        """The stub of ApprovalService."""
        return ApprovalServiceStub(self.channel)

    @property
    def reviews(self) -> "ReviewServiceAsyncStub":
        """The stub of ReviewService."""
        return ReviewServiceStub(self.channel)

    @property
    def person(self) -> "PersonServiceAsyncStub":
        """The stub of PersonService."""
        return PersonServiceStub(self.channel)

    @property
    def masks(self) -> "MaskServiceAsyncStub":
        """The stub of MaskService."""
        return MaskServiceStub(self.channel)

    @property
    def mask_jobs(self) -> "MaskJobServiceAsyncStub":
        """The stub of MaskJobService."""
        return MaskJobServiceStub(self.channel)

    @property
    def audit(self) -> "AuditServiceAsyncStub":
        """The stub of AuditService."""
        return AuditServiceStub(self.channel)

    @property
    def lineage(self) -> "LineageServiceAsyncStub":
        """The stub of LineageService."""
        return LineageServiceStub(self.channel)

    @property
    def info(self) -> "InfoServiceAsyncStub":
        """The stub of InfoService."""
        return InfoServiceStub(self.channel)
